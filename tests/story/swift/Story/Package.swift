// swift-tools-version:5.9
import PackageDescription

let package = Package(
    name: "Story",
    dependencies: [.package(path: "../../../../bindings/swift")],
    targets: [
        .systemLibrary(name: "Outside", path: "Sources/Outside"),
        .executableTarget(name: "Batch", dependencies: [.product(name: "Sesame", package: "swift")]),
        .executableTarget(
            name: "Story",
            dependencies: ["Outside", .product(name: "MemoryStore", package: "swift"), .product(name: "Sesame", package: "swift")]
        ),
    ]
)
