import Dispatch
import Foundation
import XCTest

@testable import Sesame

final class ActorTests: XCTestCase {
    func testManyTasksShareADeviceBehindAnActor() async throws {
        let world = try World()
        let (bob, relay) = (DeviceActor(world.bob.device), world.relay)
        let ids = try await withThrowingTaskGroup(of: SendId.self) { group in
            for number in 1...40 {
                group.addTask { try await bob.batchEncrypt(recipients: ["alice"], payload: Data("\(number)".utf8)).id }
            }
            return try await group.reduce(into: Set<SendId>()) { $0.insert($1) }
        }
        XCTAssertEqual(ids.count, 40)
        let exchanged = try await bob.exchange { relay.perform(request: $0) }
        XCTAssertEqual(exchanged.sends, ids)
        let read = Set(try world.alice.read())
        XCTAssertEqual(read, Set((1...40).map { "\($0)" }))
    }

    func testTheActorRunsSeveralCallsAsOneStep() async throws {
        let world = try World()
        let alice = DeviceActor(world.alice.device)
        let epoch = try await alice.perform { device in
            try device.registry().markVerified(user: "alice")
            return try device.registry().users().first?.epoch
        }
        XCTAssertEqual(epoch, 1)
    }

    func testTheActorRunsOnAQueueOfItsOwn() async throws {
        let world = try World()
        let bob = DeviceActor(world.bob.device)
        await bob.perform { _ in dispatchPrecondition(condition: .onQueue(bob.own.queue)) }
    }

    func testATaskThatIsCancelledWithinACallGetsWhatItGave() async throws {
        let world = try World()
        let bob = DeviceActor(world.bob.device)
        let (begun, go) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let task = Task {
            try await bob.perform { device in
                begun.signal()
                go.wait()
                return try device.batchEncrypt(recipients: ["alice"], payload: Data("written".utf8))
            }
        }
        await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
            DispatchQueue.global().async {
                begun.wait()
                done.resume()
            }
        }
        task.cancel()
        go.signal()
        _ = try await task.value
        try world.bob.exchange()
        XCTAssertEqual(try world.alice.read(), ["written"])
    }

    func testACancelledExchangePausesNothing() async throws {
        let world = try World()
        let (bob, relay) = (DeviceActor(world.bob.device), world.relay)
        _ = try await bob.batchEncrypt(recipients: ["alice"], payload: Data("x".utf8))
        let task = Task {
            try await bob.exchange { _ in
                try await Task.sleep(nanoseconds: 60_000_000_000)
                return ServerAnswer(status: 0, body: Data())
            }
        }
        while try await bob.nextRequest() != nil { await Task.yield() }
        task.cancel()
        do {
            _ = try await task.value
            XCTFail("it went on")
        } catch {
            XCTAssertTrue(error is CancellationError)
        }
        try await bob.retryNow()
        try await bob.setMemoryLimit(limit: 0)
        try await bob.exchange { relay.perform(request: $0) }
        XCTAssertEqual(try world.alice.read(), ["x"])
    }

    func testAReleasedRequestIsGivenAgainAtOnce() async throws {
        let world = try World()
        let bob = world.bob.device
        try bob.batchEncrypt(recipients: ["alice"], payload: Data())
        let cancelled: @Sendable (ServerRequest) async throws -> ServerAnswer = { _ in throw CancellationError() }
        do {
            try await bob.exchange(cancelled)
            XCTFail("it went on")
        } catch is CancellationError {}
        XCTAssertEqual(try bob.dueIn(), 0)
        XCTAssertNotNil(try bob.nextRequest())
    }

    func testAnAwaitedExchangeThrowsAtItsEndWhatTheTransportThrew() async throws {
        struct Offline: Error {}
        let world = try World()
        let bob = DeviceActor(world.bob.device)
        _ = try await bob.batchEncrypt(recipients: ["alice"], payload: Data())
        do {
            try await bob.exchange { _ in throw Offline() }
            XCTFail("nothing was thrown")
        } catch is Offline {}
        let problem = try await bob.health().problem
        XCTAssertEqual(problem, .serverUnreachable)
    }

    func testItemsComeAsASequenceUntilTheDeviceIsClosed() async throws {
        let world = try World()
        let alice = DeviceActor(world.alice.device)
        let reader = Task {
            var read: [String] = []
            for try await item in alice.items() {
                read += item.message.map { [String(decoding: $0.payload, as: UTF8.self)] } ?? []
                try await alice.ack(ids: [item.id])
            }
            return read
        }
        let relay = world.relay
        for text in ["one", "two", "three"] {
            try world.bob.send(to: "alice", text: text)
            try await alice.requestMail()
            try await alice.exchange { relay.perform(request: $0) }
        }
        while try await alice.inbox() != [] { await Task.yield() }
        try await alice.close()
        let read = try await reader.value
        XCTAssertEqual(read, ["one", "two", "three"])
    }

    func testASequenceOfItemsEndsWithItsTask() async throws {
        let world = try World()
        let alice = DeviceActor(world.alice.device)
        let reader = Task {
            for try await _ in alice.items() { XCTFail("nothing has come") }
        }
        try await Task.sleep(nanoseconds: 20_000_000)
        reader.cancel()
        try await reader.value
    }
}
