import Foundation
import MemoryStore
import Sesame
import XCTest

/// The bad-input corpus: the same files give the same codes as from Rust, and change nothing.
final class BadInputTests: XCTestCase {
    private struct Case {
        let name: String
        let fields: [Substring: Substring]
        let data: Data
    }

    private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../tests/bad-inputs")

    private func bytes(_ hex: some StringProtocol) -> Data {
        let digits = hex.utf8.filter { $0 > UInt8(ascii: " ") }
            .map { $0 < UInt8(ascii: "a") ? $0 - UInt8(ascii: "0") : $0 - UInt8(ascii: "a") + 10 }
        return Data(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
    }

    private func store(_ name: String) throws -> (generation: Data, rows: [Data: Data]) {
        let text = try String(contentsOf: folder.appendingPathComponent("stores/\(name).rows"), encoding: .utf8)
        let lines = text.split(separator: "\n")
        let rows = lines.dropFirst().map { $0.split(separator: " ", omittingEmptySubsequences: false).map { bytes($0) } }
        return (bytes(lines[0]), Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) }))
    }

    private func cases() throws -> [Case] {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == "txt" }.map { file in
            let text = try String(contentsOf: file, encoding: .utf8)
            let end = try XCTUnwrap(text.range(of: "\n\n"))
            let fields = text[..<end.lowerBound].split(separator: "\n").map { line in
                (line.prefix { $0 != ":" }, line.drop { $0 != ":" }.dropFirst(2))
            }
            let data = bytes(text[end.upperBound...])
            return Case(name: file.lastPathComponent, fields: Dictionary(uniqueKeysWithValues: fields), data: data)
        }
    }

    func testTheCorpus() throws {
        let (alice, bob) = (try store("alice"), try store("bob"))
        var passed = 0
        for bad in try cases() {
            let surface = try XCTUnwrap(bad.fields["surface"])
            let filled = ["bundle", "device-list"].contains(surface) ? bob : alice
            var rows = filled.rows
            if surface == "record" { rows[bytes(try XCTUnwrap(bad.fields["key"]))] = bad.data }
            let store = MemoryStore(generation: filled.generation, rows: rows)
            let before = store.rows
            let code = try code(surface, bad.data, Store.app(store: store))
            XCTAssertEqual(code.map(String.init), bad.fields["expect"].map(String.init), bad.name)
            if surface != "bundle" { XCTAssertEqual(store.rows, before, bad.name) }
            if code.map(String.init) == bad.fields["expect"].map(String.init) && (surface == "bundle" || store.rows == before) { passed += 1 }
        }
        XCTAssertGreaterThanOrEqual(passed, 360)
        print("bad inputs: \(passed) passed")
    }

    private func code(_ surface: Substring, _ data: Data, _ store: Store) throws -> Int32? {
        do {
            let device = try Device.open(store: store, storeKey: key)
            switch surface {
            case "envelope", "group":
                switch try device.batchDecrypt(envelopes: [data]).first {
                case .duplicate: return Code.duplicate.rawValue
                case let .failure(_, _, code, _, _): return code.rawValue
                default: return nil
                }
            case "bundle":
                return try refused(device, Answers(deviceLists: [], bundles: [data], withoutBundle: [], unknownUsers: []))
            case "device-list":
                return try refused(device, Answers(deviceLists: [data], bundles: [], withoutBundle: [], unknownUsers: []))
            case "linking-code":
                _ = try device.confirmLink(code: String(decoding: data, as: UTF8.self))
                return nil
            default: return nil
            }
        } catch let error as SesameError {
            let shown = data.prefix(8).map { String(format: "%02x", $0) }.joined()
            XCTAssertTrue(shown.isEmpty || !"\(error)".contains(shown))
            return error.code.rawValue
        }
    }

    private func refused(_ device: Device, _ answers: Answers) throws -> Int32? {
        try device.registry().apply(answers: answers).refusals.first?.code.rawValue
    }
}
