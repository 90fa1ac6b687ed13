// swift-tools-version:5.9
import PackageDescription

let package = Package(
    name: "Story",
    dependencies: [.package(path: "../../../../bindings/swift")],
    targets: [
        .systemLibrary(name: "Outside", path: "Sources/Outside"),
        .target(name: "Stores", dependencies: [.product(name: "Sesame", package: "swift")]),
        .executableTarget(name: "Story", dependencies: ["Outside", "Stores", .product(name: "Sesame", package: "swift")]),
    ]
)
