import Foundation
import XCTest

@testable import Sesame

final class DeviceTests: XCTestCase {
    func testAMessageGoesThereAndBack() throws {
        let world = try World()
        try world.bob.send(to: "alice", text: "hello")
        XCTAssertEqual(try world.alice.read(), ["hello"])
        try world.alice.send(to: "bob", text: "hello yourself")
        XCTAssertEqual(try world.bob.read(), ["hello yourself"])
    }

    func testRecordsAreEqualWhenTheirBytesAre() throws {
        let world = try World()
        let send = try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data("x".utf8))
        let status = try XCTUnwrap(try world.bob.device.sendStatus(send: send.id))
        XCTAssertEqual(status, try world.bob.device.sendWith(contentId: send.contentId))
        XCTAssertEqual(Set(try world.bob.device.sends() + [status]).count, 1)
        XCTAssertNotEqual(send, try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data("x".utf8)))
    }

    func testEveryErrorSaysByWhoseFaultItWas() throws {
        let world = try World()
        let unknown = try thrown { _ = try world.alice.device.registry().devices(user: "nobody") }
        guard case .app(.unknownUser, _, _, _, _) = unknown else { return XCTFail("\(unknown)") }
        XCTAssertEqual(unknown.code.rawValue, 107)
        XCTAssertFalse(unknown.reason.isEmpty)
        let empty = try thrown { _ = try world.alice.device.batchEncrypt(recipients: [], payload: Data()) }
        XCTAssertEqual(empty.code, .emptyBatch)
        XCTAssertEqual(empty.field, "recipients")
        let store = Store.memory()
        _ = try Device.create(store: store, storeKey: key, user: "carol", server: server)
        let wrong = try thrown { _ = try Device.open(store: store, storeKey: Data(count: 32)) }
        guard case .store(.wrongKey, _, _, _, _) = wrong else { return XCTFail("\(wrong)") }
    }

    func testKeysAreWipedForEveryHandle() throws {
        let device = try Device.create(store: Store.memory(), storeKey: key, user: "alice", server: server)
        let registry = device.registry()
        XCTAssertEqual(try device.useThenClose { $0.user }, "alice")
        XCTAssertEqual(try thrown { _ = try registry.users() }.code, .closed)
        try device.close()
    }

    func testADeviceIsOpenedAgainFromItsFile() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("carol.db").path
        let world = try World()
        let carol = try world.join("carol", try Store.sqlite(path: path))
        try world.bob.send(to: "carol", text: "kept")
        try carol.device.requestMail()
        try carol.exchange()
        try carol.device.close()
        let again = try Device.open(store: try Store.sqlite(path: path), storeKey: key)
        XCTAssertEqual(texts(try again.inbox()), ["kept"])
    }

    func testNoTextShowsAKey() throws {
        let error = try thrown { _ = try Device.open(store: Store.memory(), storeKey: Data(repeating: 0x41, count: 31)) }
        XCTAssertFalse("\(error) \(error.localizedDescription)".contains("4141"))
        XCTAssertFalse("\(error) \(error.localizedDescription)".contains("AAAA"))
    }

    func testNoTextOfARecordShowsWhatWasSaid() throws {
        let world = try World()
        let status = try XCTUnwrap(try world.bob.send(to: "alice", text: "secret words"))
        try world.alice.device.requestMail()
        try world.alice.exchange()
        let items = try world.alice.device.inbox()
        XCTAssertEqual(texts(items), ["secret words"])
        var text = ""
        dump(items, to: &text)
        dump(status, to: &text)
        text += "\(items)\(status)"
        text += "\(GroupChange(name: "Rome", picture: Data("picture".utf8)))"
        XCTAssertTrue(text.contains("12 bytes"), text)
        for hidden in ["secret", "115, 101, 99", "0x73", "Rome", "112, 105, 99"] {
            XCTAssertFalse(text.contains(hidden), text)
        }
    }

    func testAnErrorIsDescribedInASentence() throws {
        let world = try World()
        let error = try thrown { try world.alice.device.cancel(send: SendId(Data(count: 15))) }
        XCTAssertEqual(error.localizedDescription, "INVALID_ARGUMENT (101): an argument is outside its documented range (send)")
        XCTAssertEqual(StoreFault.full.localizedDescription, "The store is full.")
    }

    func testANameIsAValue() {
        let name = SendId(Data(0..<16))
        XCTAssertEqual("\(name)", "SendId(00010203)")
        XCTAssertEqual(Set([name, SendId(Data(0..<16))]).count, 1)
    }

    func testACodeIsReadByNameWhereverItStands() throws {
        XCTAssertEqual(Code.known(221), .notListed)
        XCTAssertEqual(Code.known(999), .internal)
        XCTAssertNil(Code.problem(0))
        let world = try World()
        let results = try world.alice.device.batchDecrypt(envelopes: [Data("no envelope".utf8)])
        XCTAssertEqual(results.map(\.outcome), [.refused])
        XCTAssertEqual(results[0].code?.rawValue, 205)
        XCTAssertEqual("\(results[0].code!)", "unsupportedVersion")
    }
}
