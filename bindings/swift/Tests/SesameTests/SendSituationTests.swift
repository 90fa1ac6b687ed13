import Foundation
import MemoryStore
import Sesame
import XCTest

/// The situations of an app that are about what it sends.
final class SendSituationTests: XCTestCase {
    private func encrypt(_ host: Host, _ users: [String], _ text: String, _ id: ContentId? = nil) throws -> PendingSend {
        try host.device.batchEncrypt(recipients: users, payload: Data(text.utf8), contentId: id)
    }

    private func only(_ status: SendStatus?) throws -> UserStatus {
        let status = try XCTUnwrap(status)
        XCTAssertEqual(status.users.count, 1)
        return status.users[0]
    }

    private func claimed(_ world: World) throws -> AccountKey? {
        try world.bob.device.registry().users().first { $0.user == "alice" }?.claimedKey
    }

    func testASendEndsWithAnOutcomeForEachUser() throws {
        let world = try World()
        let send = try encrypt(world.bob, ["alice"], "hello")
        XCTAssertEqual(try only(world.bob.device.sendStatus(send: send.id)).waitingFor, .server)
        try world.bob.exchange()
        let status = try XCTUnwrap(try world.bob.device.sendWith(contentId: send.contentId))
        XCTAssertTrue(status.finished)
        XCTAssertEqual(status.payload, Data("hello".utf8))
        XCTAssertEqual(try only(status).outcome, .sent)
        XCTAssertNil(try only(status).code)
        XCTAssertEqual(try world.alice.read(), ["hello"])
        guard case let .sendFinished(id, _, nil, 1, [], []) = try world.bob.events().last else { return XCTFail("no end") }
        XCTAssertEqual(id, send.id)
    }

    func testAnUnknownUserFailsAndTheOthersGetIt() throws {
        let world = try World()
        let send = try encrypt(world.bob, ["alice", "alicia"], "hello")
        try world.bob.exchange()
        let users = try XCTUnwrap(try world.bob.device.sendStatus(send: send.id)).users
        XCTAssertEqual(users.map(\.outcome), [.sent, .failed])
        XCTAssertEqual(users.map(\.code), [nil, .unknownUser])
        guard case let .sendFinished(_, _, _, 1, failed, _) = try world.bob.events().last else { return XCTFail("no end") }
        XCTAssertEqual(failed, [FailedUser(user: "alicia", code: .unknownUser)])
    }

    func testAStaleViewIsUpdatedWithinTheLoop() throws {
        let world = try World()
        try world.bob.send(to: "alice", text: "before")
        let tablet = try world.link(world.alice)
        XCTAssertEqual(try only(world.bob.send(to: "alice", text: "to both")).reached, 2)
        XCTAssertEqual(try world.alice.read().last, "to both")
        XCTAssertEqual(try tablet.read(), ["to both"])
    }

    func testOfflineASendWaitsAndGoesOutLater() throws {
        struct Offline: Error {}
        let world = try World()
        let send = try encrypt(world.bob, ["alice"], "hello")
        XCTAssertThrowsError(try world.bob.device.exchange { _ in throw Offline() })
        XCTAssertEqual(try only(world.bob.device.sendStatus(send: send.id)).outcome, .waiting)
        world.clock.advance(by: try world.bob.device.dueIn())
        try world.bob.exchange()
        XCTAssertEqual(try world.alice.read(), ["hello"])
    }

    func testACrashBetweenRequestAndAnswerSendsNothingTwice() throws {
        let world = try World()
        let rows = MemoryStore()
        let carol = try world.join("carol", Store.app(store: rows))
        try carol.send(to: "alice", text: "first")
        _ = try encrypt(carol, ["alice"], "second")
        while let request = try carol.device.nextRequest() { _ = world.relay.perform(request: request) }
        let again = Host(world.relay, try Device.open(store: Store.app(store: rows), storeKey: key, clock: world.clock))
        XCTAssertEqual(try again.device.sends().filter { !$0.finished }.count, 1)
        try again.exchange()
        XCTAssertEqual(try again.device.sends().filter { !$0.finished }, [])
        XCTAssertEqual(try world.alice.read(), ["first", "second"])
    }

    func testARetryReachesWhoIsThereByThen() throws {
        let world = try World()
        let send = try encrypt(world.bob, ["carol"], "hello")
        try world.bob.exchange()
        let carol = try world.join("carol")
        try world.bob.device.retry(send: send.id)
        try world.bob.exchange()
        XCTAssertEqual(try only(world.bob.device.sendStatus(send: send.id)).outcome, .sent)
        XCTAssertEqual(try carol.read(), ["hello"])
    }

    func testWhatWasNotGivenOutIsCancelledAndWhatWasMayBeSent() throws {
        let world = try World()
        try world.bob.send(to: "alice", text: "first")
        let early = try encrypt(world.bob, ["alice"], "never sent")
        try world.bob.device.cancel(send: early.id)
        XCTAssertEqual(try only(world.bob.device.sendStatus(send: early.id)).code, .cancelled)
        let late = try encrypt(world.bob, ["alice"], "sent")
        let request = try XCTUnwrap(try world.bob.device.nextRequest())
        XCTAssertEqual(request.kind, .submit)
        try world.bob.device.cancel(send: late.id, users: ["alice"])
        XCTAssertEqual(try only(world.bob.device.sendStatus(send: late.id)).outcome, .cancelled)
        XCTAssertEqual(try only(world.bob.device.sendStatus(send: late.id)).code, .maybeSent)
        try world.bob.exchange()
        XCTAssertEqual(try world.alice.read(), ["first"])
    }

    func testTheSameContentIdIsTheSameSend() throws {
        let world = try World()
        let id = ContentId(Data(repeating: 9, count: 16))
        let send = try encrypt(world.bob, ["alice"], "once", id)
        XCTAssertEqual(try encrypt(world.bob, ["alice"], "once", id), send)
        XCTAssertEqual(try thrown { _ = try encrypt(world.bob, ["alice"], "other", id) }.code, .contentIdInUse)
        try world.bob.exchange()
        XCTAssertEqual(try world.alice.read(), ["once"])
    }

    func testAContestedIdentityWaitsVisibly() throws {
        let world = try World()
        let (bob, _) = try world.reborn()
        let status = try only(bob.send(to: "alice", text: "to whom?"))
        XCTAssertEqual(status.outcome, .waiting)
        XCTAssertEqual(status.waitingFor, .identity)
        XCTAssertNotNil(try claimed(world))
        XCTAssertNil(try world.bob.device.nextRequest())
        let changed = try world.bob.device.inbox().compactMap(\.event).contains { if case .identityChanged = $0 { true } else { false } }
        XCTAssertTrue(changed)
    }

    func testAnAcceptedIdentityGetsWhatWaited() throws {
        let world = try World()
        let (bob, again) = try world.reborn()
        let send = try encrypt(bob, ["alice"], "it is you")
        try bob.exchange()
        let key = try XCTUnwrap(try claimed(world))
        try world.bob.device.registry().acceptIdentity(user: "alice", accountKey: key)
        // What the new identity was never asked for pauses at times.
        for _ in 1...4 {
            try bob.exchange()
            world.clock.advance(by: 5)
        }
        XCTAssertEqual(try only(world.bob.device.sendStatus(send: send.id)).outcome, .sent)
        XCTAssertEqual(try again.read(), ["it is you"])
    }

    func testAGroupIsMadeAndSpokenTo() throws {
        let world = try World()
        try world.alice.device.registry().lookUp(users: ["bob"])
        try world.alice.exchange()
        let (group, _) = try world.alice.device.createGroup(kind: .pairwise, info: GroupChange(name: "Trip"), users: ["bob"]).parts
        try world.alice.exchange()
        XCTAssertEqual(try world.bob.read(), [])
        // Bob has never written to Alice, and is asked.
        _ = try world.bob.device.group(id: group.id).accept()
        try world.bob.exchange()
        let send = try group.send(payload: Data("hello, group".utf8))
        try world.alice.exchange()
        XCTAssertEqual(try world.alice.device.sendStatus(send: send.id)?.group, group.id)
        XCTAssertEqual(try world.bob.read(), ["hello, group"])
        XCTAssertEqual(try group.view().members, ["alice", "bob"])
        XCTAssertEqual(try group.view(), try group.view())
    }

    func testManySendsShareRequests() throws {
        let world = try World()
        let carol = try world.join("carol")
        for number in 1...10 { _ = try encrypt(world.bob, ["alice", "carol"], "\(number)") }
        var asked = 0
        try world.bob.device.exchange { request in
            asked += 1
            return world.relay.perform(request: request)
        }
        XCTAssertLessThan(asked, 16, "one request for both users, and their messages one after the other")
        XCTAssertEqual(try world.alice.read(), (1...10).map { "\($0)" })
        XCTAssertEqual(try carol.read(), (1...10).map { "\($0)" })
    }
}
