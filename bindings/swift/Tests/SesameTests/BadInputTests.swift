import Foundation
import MemoryStore
import Sesame
import XCTest

/// The bad-input corpus: the same files give the same codes as from Rust, and change nothing but what the app is told. What a server says of
/// users gives no code: it is answered to the loop's own requests, and leads to nothing.
final class BadInputTests: XCTestCase {
    private struct Case {
        let name: String
        let fields: [Substring: Substring]
        let data: Data
    }

    private let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../../tests/bad-inputs")
    /// The first bytes of the keys of the inbox, its numbers and its items, of the clock, and of what is to be asked for.
    private let inbox: [UInt8] = [21, 18, 34, 39]
    /// The time at which the stores of the corpus were made, in ms: `FIXTURE_NOW` in tests/src/bad_inputs.rs.
    private let madeAt: UInt64 = 4_102_444_800_000

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
        let cases = try cases()
        XCTAssertGreaterThanOrEqual(cases.count, 360)
        for bad in cases {
            let surface = try XCTUnwrap(bad.fields["surface"])
            if surface == "bundle" || surface == "device-list" {
                let device = try open(MemoryStore(generation: bob.generation, rows: bob.rows))
                XCTAssertTrue(try leadsToNothing(device, surface == "bundle" ? .bundles : .lists, bad.data), bad.name)
                continue
            }
            var rows = alice.rows
            if surface == "record" { rows[bytes(try XCTUnwrap(bad.fields["key"]))] = bad.data }
            let store = MemoryStore(generation: alice.generation, rows: rows)
            let (code, isTold) = try played(surface, bad.data, store)
            XCTAssertEqual(code.map { "\($0.rawValue)" }, bad.fields["expect"].map(String.init), bad.name)
            let owes = store.rows.keys.contains { $0[0] == 39 }
            let kept = { (rows: [Data: Data]) in isTold || owes ? rows.filter { !self.inbox.contains($0.key[0]) } : rows }
            XCTAssertTrue(kept(store.rows) == kept(rows), bad.name)
        }
    }

    private func open(_ store: MemoryStore) throws -> Device {
        try Device.open(store: Store.app(store: store), storeKey: key, clock: TestClock(now: madeAt))
    }

    /// The code of a case, and whether the app is told of it.
    private func played(_ surface: Substring, _ data: Data, _ store: MemoryStore) throws -> (Code?, Bool) {
        do {
            let device = try open(store)
            switch surface {
            case "envelope", "group":
                let result = try XCTUnwrap(try device.batchDecrypt(envelopes: [data]).first)
                return (result.outcome == .duplicate ? .duplicate : result.code, !result.items.isEmpty)
            case "linking-code": _ = try device.linkDevice(code: String(decoding: data, as: UTF8.self))
            default: break
            }
            return (nil, false)
        } catch let error as SesameError {
            let shown = data.prefix(8).map { String(format: "%02x", $0) }.joined()
            XCTAssertTrue(shown.isEmpty || !"\(error)".contains(shown))
            return (error.code, false)
        }
    }

    /// Gives bad bytes for Alice, or for her second device, to the loop: they are asked for, the loop ends, and nothing follows from them.
    private func leadsToNothing(_ device: Device, _ kind: RequestKind, _ bad: Data) throws -> Bool {
        if bad.count > 65_535 { return true }
        let registry = device.registry()
        let known = { (try registry.users(), try? registry.devices(user: "alice")) }
        let before = try known()
        var (isAsked, asked) = (false, 0)
        try registry.lookUp(users: ["alice"])
        try device.exchange { request in
            asked += 1
            if asked > 20 { throw CancellationError() }
            isAsked = isAsked || request.kind == kind
            switch request.kind {
            case .publication: return ServerAnswer(status: 200, body: number(100, 4) + number(0, 4) + number(1, 8))
            case .lists: return ServerAnswer(status: 200, body: vector(request.users.map { $0 == "alice" ? bad : nil }))
            case .bundles: return ServerAnswer(status: 200, body: vector(devices(request.body).map { $0 == "alice/2" ? bad : nil }))
            default: return ServerAnswer(status: 200, body: Data())
            }
        }
        let after = try known()
        return isAsked && after.0 == before.0 && after.1 == before.1
    }

    /// Whom a request for bundles names: `{user opaque (u8), device u32}`.
    private func devices(_ body: Data) -> [String] {
        var (rest, found) = (Data(body.dropFirst(2)), [String]())
        while let length = rest.first.map(Int.init) {
            found.append("\(String(decoding: rest[1...length], as: UTF8.self))/\(rest[length + 4])")
            rest = Data(rest.dropFirst(length + 5))
        }
        return found
    }
}

/// A number in so many bytes.
func number(_ value: Int, _ bytes: Int) -> Data {
    Data((0..<bytes).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
}

/// The server's answer about several things, some of which it does not have.
private func vector(_ parts: [Data?]) -> Data {
    let body = parts.reduce(Data()) { $0 + ($1.map { Data([1]) + number($0.count, 2) + $0 } ?? Data([0])) }
    return number(body.count, 4) + body
}
