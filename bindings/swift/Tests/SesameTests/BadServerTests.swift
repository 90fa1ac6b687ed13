import Foundation
import Sesame
import XCTest

/// What a server answers that calls every batch stale: results of kind 3, each with the same list and without a device that differs.
private func stale(_ list: Data, _ batches: Int) -> Data {
    let result = Data([3]) + number(list.count, 2) + list + Data(count: 3)
    return number(result.count * batches, 4) + Data((0..<batches).flatMap { _ in result })
}

/// Servers that keep no rule, and hosts that forget: the loop of the README ends, and heals or fails as it should.
final class BadServerTests: XCTestCase {
    private let page = Data("<!doctype html><title>Sign in to the network</title>".utf8)

    /// The README's loop. It gives the number of requests, and fails where it does not end.
    private func loop(_ device: Device, _ transport: (ServerRequest) throws -> ServerAnswer?) throws -> Int {
        var count = 0
        while let request = try device.nextRequest() {
            count += 1
            guard count < 200 else {
                XCTFail("the loop does not end")
                break
            }
            let answer = try? transport(request)
            try device.respond(id: request.id, status: answer?.status ?? 0, body: answer?.body)
        }
        return count
    }

    /// Lets Bob's app meet a bad server for two hours. Gives the number of requests.
    private func twoHours(_ world: World, _ transport: (ServerRequest) throws -> ServerAnswer?) throws -> Int {
        var (asked, passed) = (0, 0.0)
        while passed < 2 * 60 * 60 {
            asked += try loop(world.bob.device, transport)
            let due = try world.bob.device.dueIn()
            XCTAssertGreaterThan(due, 0, "the loop has ended, and nothing is due")
            guard due > 0 else { break }
            world.clock.advance(by: due)
            passed += due
        }
        return asked
    }

    private func begin(_ world: World) throws -> SendId {
        try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data("x".utf8)).id
    }

    private func outcome(_ world: World, _ send: SendId) throws -> UserStatus {
        try XCTUnwrap(try world.bob.device.sendStatus(send: send)?.users.first)
    }

    /// Nothing is settled by a server like this: it is asked ever more seldom, and the send goes on when the server is well again.
    private func onlyPauses(_ transport: @escaping (ServerRequest) throws -> ServerAnswer?) throws {
        let world = try World()
        let send = try begin(world)
        let asked = try twoHours(world, transport)
        XCTAssertTrue((5...100).contains(asked), "\(asked) requests in two hours")
        XCTAssertEqual(try outcome(world, send).outcome, .waiting)
        try world.bob.device.retryNow()
        try world.bob.exchange()
        XCTAssertEqual(try outcome(world, send).outcome, .sent)
        XCTAssertEqual(try world.alice.read(), ["x"])
    }

    func testAServerThatIsAlwaysBusyOnlyPauses() throws {
        try onlyPauses { _ in ServerAnswer(status: 503, body: Data()) }
        try onlyPauses { _ in ServerAnswer(status: 429, body: Data()) }
    }

    func testAPortalsPageOnlyPauses() throws {
        try onlyPauses { _ in ServerAnswer(status: 200, body: self.page) }
        try onlyPauses { _ in ServerAnswer(status: 302, body: self.page) }
    }

    func testGarbageOnlyPauses() throws {
        try onlyPauses { request in ServerAnswer(status: 200, body: Data([0xff]) + request.body.prefix(99)) }
        try onlyPauses { _ in ServerAnswer(status: 65_535, body: Data(repeating: 0xff, count: 1000)) }
    }

    func testNothingAtAllOnlyPauses() throws {
        try onlyPauses { _ in nil }
        try onlyPauses { _ in throw CocoaError(.fileNoSuchFile) }
    }

    func testAUserWhoDoesNotExistEndsTheSend() throws {
        let world = try World()
        let send = try world.bob.device.batchEncrypt(recipients: ["alicia"], payload: Data("x".utf8)).id
        XCTAssertLessThan(try loop(world.bob.device) { world.relay.perform(request: $0) }, 5)
        let status = try outcome(world, send)
        XCTAssertEqual(status.outcome, .failed)
        XCTAssertEqual(status.code, .unknownUser)
    }

    func testAServerThatSaysStaleForEverEndsTheSend() throws {
        let world = try World()
        try world.bob.send(to: "alice", text: "so that the session is there")
        let send = try begin(world)
        let list = try XCTUnwrap(try world.relay.deviceList(user: "alice"))
        let asked = try twoHours(world) { request in
            guard request.kind == .submit else { return world.relay.perform(request: request) }
            return ServerAnswer(status: 200, body: stale(list, request.users.count))
        }
        XCTAssertLessThan(asked, 60)
        let status = try outcome(world, send)
        XCTAssertEqual(status.outcome, .failed)
        XCTAssertEqual(status.code, .tooManyRounds)
    }

    func testAnotherIdentityMakesTheSendWaitForTheApp() throws {
        let world = try World()
        let (bob, _) = try world.reborn()
        let send = try begin(world)
        XCTAssertLessThan(try twoHours(world) { bob.relay.perform(request: $0) }, 60)
        let status = try outcome(world, send)
        XCTAssertEqual(status.outcome, .waiting)
        XCTAssertEqual(status.waitingFor, .identity)
    }

    func testAHostThatForgetsToRespondEndsTooAndHealsWithinAMinute() throws {
        let world = try World()
        let send = try begin(world)
        var forgotten = 0
        while try world.bob.device.nextRequest() != nil, forgotten < 200 { forgotten += 1 }
        XCTAssertLessThan(forgotten, 10)
        let due = try world.bob.device.dueIn()
        XCTAssertTrue(due > 0 && due <= 60, "\(due)")
        world.clock.advance(by: due)
        try world.bob.exchange()
        XCTAssertEqual(try outcome(world, send).outcome, .sent)
    }

    func testTheConvenienceEndsAndThrowsWhatTheTransportThrew() throws {
        struct Offline: Error {}
        let world = try World()
        let send = try begin(world)
        var asked = 0
        XCTAssertThrowsError(
            try world.bob.device.exchange { _ in
                asked += 1
                throw Offline()
            }
        ) { XCTAssertTrue($0 is Offline) }
        XCTAssertEqual(asked, 1)
        XCTAssertEqual(try outcome(world, send).outcome, .waiting)
        XCTAssertEqual(try world.bob.device.health().problem, .serverUnreachable)
        try world.bob.device.retryNow()
        let exchanged = try world.bob.exchange()
        XCTAssertEqual(exchanged.problems, [])
        XCTAssertTrue(exchanged.sends.contains(send))
    }

    func testABusyServerIsNoErrorAndIsNamed() throws {
        let world = try World()
        _ = try begin(world)
        let exchanged = try world.bob.device.exchange { _ in ServerAnswer(status: 503, body: Data()) }
        XCTAssertEqual(exchanged.problems, [.serverBusy])
    }
}
