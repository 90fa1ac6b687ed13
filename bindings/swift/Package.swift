// swift-tools-version:5.9
import PackageDescription

// On Apple's systems the library comes as an XCFramework (build-xcframework.sh); elsewhere pkg-config says where it lies
// (`cargo xtask dist swift`).
#if canImport(Darwin)
let library = Target.binaryTarget(name: "SesameFFI", path: "SesameFFI.xcframework")
#else
let library = Target.systemLibrary(name: "SesameFFI", path: "Sources/SesameFFI", pkgConfig: "sesame_ffi")
#endif

let package = Package(
    name: "Sesame",
    platforms: [.macOS(.v11), .iOS(.v13)],
    products: [
        .library(name: "Sesame", targets: ["Sesame"]),
        // An example, for an app that writes a store of its own.
        .library(name: "MemoryStore", targets: ["MemoryStore"]),
    ],
    targets: [
        library,
        .target(name: "Sesame", dependencies: ["SesameFFI"], linkerSettings: [.linkedLibrary("sesame_ffi", .when(platforms: [.linux]))]),
        .target(name: "MemoryStore", dependencies: ["Sesame"]),
        .testTarget(name: "SesameTests", dependencies: ["MemoryStore", "Sesame"]),
    ]
)
