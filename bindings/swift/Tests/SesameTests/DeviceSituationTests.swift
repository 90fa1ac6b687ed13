import Foundation
import MemoryStore
import Sesame
import XCTest

/// The situations of an app that are about its device: registration, mail, other devices, time.
final class DeviceSituationTests: XCTestCase {
    private func kinds(_ host: Host) throws -> [RequestKind] {
        var kinds: [RequestKind] = []
        try host.device.exchange { request in
            kinds.append(request.kind)
            return host.relay.perform(request: request)
        }
        return kinds
    }

    func testTheFirstExchangePublishesTheDevice() throws {
        let relay = try LocalRelay(server: server)
        let host = Host(relay, try Device.create(store: Store.memory(), storeKey: key, user: "carol", server: server))
        XCTAssertFalse(try host.device.health().registered)
        XCTAssertEqual(try kinds(host), [.publication, .publication], "the list, then prekeys")
        XCTAssertTrue(try host.device.health().registered)
        XCTAssertNotNil(try relay.deviceList(user: "carol"))
    }

    func testARefusedRegistrationIsSaidAndIsTheEnd() throws {
        let world = try World()
        let second = Host(world.relay, try Device.create(store: Store.memory(), storeKey: key, user: "alice", server: server, clock: world.clock))
        try second.exchange()
        XCTAssertEqual(try second.device.health().problem, .registrationRefused)
        XCTAssertNil(try second.device.nextRequest())
        XCTAssertEqual(try second.device.inbox().compactMap(\.event), [.registrationRefused(user: "alice")])
    }

    func testMailByPushIsOpenedOnceWhateverTheLoopBrings() throws {
        let world = try World()
        try world.bob.send(to: "alice", text: "knock")
        let envelopes = try world.alice.pushed()
        XCTAssertEqual(envelopes.count, 1)
        let results = try world.alice.device.batchDecrypt(envelopes: envelopes)
        XCTAssertEqual(results.map(\.outcome), [.opened])
        XCTAssertFalse(results[0].keep)
        XCTAssertEqual(try world.alice.device.batchDecrypt(envelopes: envelopes).map(\.outcome), [.duplicate])
        XCTAssertEqual(try world.alice.read(), ["knock"])
    }

    func testMailComesThroughTheLoopUpToALimitAndIsConfirmed() throws {
        let world = try World()
        for number in 1...7 { _ = try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data("\(number)".utf8)) }
        try world.bob.exchange()
        try world.alice.device.requestMail(limit: 3)
        let kinds = try kinds(world.alice)
        XCTAssertEqual([kinds.first, kinds.last], [.mail, .confirm])
        XCTAssertEqual(texts(try world.alice.device.inbox()), ["1", "2", "3"])
        XCTAssertEqual(try world.alice.device.health().mailLeft, 4)
        XCTAssertEqual(try world.alice.read(), (1...7).map { "\($0)" })
        XCTAssertEqual(world.relay.view().waiting.filter { $0.address.user == "alice" && $0.count > 0 }.count, 0)
    }

    func testAFullInboxFetchesNoMail() throws {
        let world = try World()
        let payload = Data(repeating: 7, count: Limits.maxPayload)
        for _ in 1...280 {
            _ = try world.bob.device.batchEncrypt(recipients: ["alice"], payload: payload)
            try world.bob.exchange()
        }
        try world.alice.device.requestMail()
        try world.alice.exchange()
        let held = try world.alice.device.inbox(limit: 4096)
        XCTAssertTrue((200..<280).contains(held.count), "\(held.count)")
        try world.alice.device.requestMail()
        XCTAssertFalse(try kinds(world.alice).contains(.mail))
        try world.alice.device.ack(ids: held.map(\.id))
        XCTAssertEqual(held.compactMap(\.message).count + (try world.alice.read().count), 280)
    }

    func testAckedItemsAreGoneAndSoIsTheSend() throws {
        let world = try World()
        let send = try XCTUnwrap(try world.bob.send(to: "alice", text: "x"))
        XCTAssertNotNil(try world.bob.device.sendStatus(send: send.id))
        try world.bob.device.ack(ids: try world.bob.device.inbox().map(\.id))
        XCTAssertEqual(try world.bob.device.inbox(), [])
        XCTAssertNil(try world.bob.device.sendStatus(send: send.id))
        try world.bob.device.ack(ids: [1, 2, 3, .max])
    }

    func testASecondProcessReadsAndNeverAcks() throws {
        let world = try World()
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("carol.db").path
        let app = try world.join("carol", try Store.sqlite(path: path))
        let `extension` = try Device.open(store: try Store.sqlite(path: path), storeKey: key, clock: world.clock)
        try world.bob.send(to: "carol", text: "one")
        let other = Host(world.relay, `extension`)
        _ = try `extension`.batchDecrypt(envelopes: try other.pushed())
        let shown = try XCTUnwrap(try `extension`.inbox().last)
        try world.bob.send(to: "carol", text: "two")
        _ = try `extension`.batchDecrypt(envelopes: try other.pushed())
        XCTAssertEqual(texts(try `extension`.inbox(after: shown.id)), ["two"])
        XCTAssertEqual(try app.read(), ["one", "two"])
        XCTAssertEqual(try `extension`.inbox(), [])
    }

    func testADeviceIsLinkedOnceBothSidesHaveConfirmed() throws {
        let world = try World()
        let linking = try Linking.begin(store: Store.memory(), storeKey: key, server: server, clock: world.clock)
        let pending = try world.alice.device.linkDevice(code: linking.code)
        XCTAssertEqual(pending.digits.count, 15)
        XCTAssertGreaterThan(pending.expiresAt.timeIntervalSince1970 * 1000, Double(world.clock.now()))
        XCTAssertNil(try linking.digits())
        try pending.cancel()
        XCTAssertEqual(try thrown { _ = try world.alice.device.linkDevice(code: linking.code) }.code, .linkUsed)
        let tablet = try world.link(world.alice)
        XCTAssertTrue(try world.alice.device.isPrimary())
        XCTAssertFalse(try tablet.device.isPrimary())
        try world.alice.send(to: "bob", text: "from the phone")
        let copy = try XCTUnwrap(try tablet.items().compactMap(\.message).first)
        XCTAssertEqual(copy.recipients, ["bob"])
    }

    func testARemovedDeviceIsToldAndAsksNothingMore() throws {
        let world = try World()
        let tablet = try world.link(world.alice)
        try world.alice.device.removeDevice(device: tablet.device.id)
        try world.alice.exchange()
        try tablet.device.requestMail()
        try tablet.exchange()
        let told = try tablet.device.inbox().contains { if case .removedFromAccount? = $0.event { true } else { false } }
        XCTAssertTrue(told)
        XCTAssertEqual(try tablet.device.health().problem, .removedFromAccount)
        XCTAssertNil(try tablet.device.nextRequest())
        let error = try thrown { _ = try tablet.device.batchEncrypt(recipients: ["bob"], payload: Data()) }
        XCTAssertEqual(error.code, .deviceRemoved)
    }

    func testAWrongClockCostsOneRequest() throws {
        let world = try World()
        let late = TestClock(now: world.clock.now() + 2 * 60 * 60 * 1000)
        let carol = Host(world.relay, try Device.create(store: Store.memory(), storeKey: key, user: "carol", server: server, clock: late))
        XCTAssertEqual(try kinds(carol), [.publication, .publication, .publication])
        XCTAssertTrue(try carol.device.health().registered)
        XCTAssertEqual(try carol.device.health().clockOffset, -2 * 60 * 60 * 1000)
    }

    func testARestoredServerGetsTheKeysAgainAndTheAppIsTold() throws {
        let world = try World()
        world.relay.restored()
        try world.alice.device.requestMail()
        XCTAssertEqual(try kinds(world.alice), [.mail])
        world.clock.advance(by: 2)
        XCTAssertTrue(try kinds(world.alice).contains(.publication))
        XCTAssertTrue(try world.alice.device.inbox().compactMap(\.event).contains(.serverRestored))
    }

    func testADeletedAccountIsGoneAndNothingFollows() throws {
        let world = try World()
        try world.alice.device.deleteAccount()
        XCTAssertEqual(try kinds(world.alice), [.delete])
        XCTAssertNil(try world.relay.deviceList(user: "alice"))
        try world.alice.device.requestMail()
        XCTAssertNil(try world.alice.device.nextRequest())
        XCTAssertEqual(try world.bob.send(to: "alice", text: "x")?.users.first?.code, .unknownUser)
    }

    func testThePushValueGoesOutOnce() throws {
        let world = try World()
        try world.alice.device.setPush(value: Data("token of the push service".utf8))
        XCTAssertEqual(try kinds(world.alice), [.push])
        XCTAssertEqual(try kinds(world.alice), [])
        try world.alice.device.setPush()
        XCTAssertEqual(try kinds(world.alice), [.push])
    }

    func testABackgroundTaskKnowsWhenToCallAgain() throws {
        let world = try World()
        let due = try world.alice.device.dueIn()
        XCTAssertTrue(due > 0 && due <= day, "\(due)")
        var published = 0
        for _ in 1...90 {
            world.clock.advance(by: try world.alice.device.dueIn())
            published += try kinds(world.alice).filter { $0 == .publication }.count
        }
        XCTAssertGreaterThan(published, 1, "prekeys and lists are renewed when their time has come")
        XCTAssertLessThan(published, 60)
    }

    func testRetryNowEndsAPause() throws {
        let world = try World()
        _ = try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data())
        try world.bob.device.exchange { _ in ServerAnswer(status: 503, body: Data()) }
        XCTAssertNil(try world.bob.device.nextRequest())
        XCTAssertGreaterThan(try world.bob.device.dueIn(), 0)
        try world.bob.device.retryNow()
        var request: ServerRequest?
        while let next = try world.bob.device.nextRequest() { request = next }
        try world.bob.device.release(id: try XCTUnwrap(request).id)
        XCTAssertEqual(try world.bob.device.nextRequest()?.kind, request?.kind)
    }

    func testHealthSaysHowTheDeviceStands() throws {
        let world = try World()
        let well = try world.bob.device.health()
        XCTAssertTrue(well.registered)
        XCTAssertNil(well.problem)
        XCTAssertEqual([well.openSends, well.inbox, well.mailLeft], [0, 0, 0])
        _ = try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data())
        try world.bob.device.exchange { _ in ServerAnswer(status: 503, body: Data()) }
        let ill = try world.bob.device.health()
        XCTAssertEqual(ill.problem, .serverBusy)
        XCTAssertEqual(ill.openSends, 1)
        XCTAssertGreaterThan(ill.dueIn, 0)
        XCTAssertEqual(ill.dueIn, try world.bob.device.dueIn())
    }
}
