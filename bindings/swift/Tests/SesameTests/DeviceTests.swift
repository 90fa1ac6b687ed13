import Dispatch
import Foundation
import XCTest

@testable import Sesame

final class DeviceTests: XCTestCase {
    func testAMessageGoesThereAndBack() throws {
        let world = try World()
        try world.bob.send(to: "alice", "hello")
        XCTAssertEqual(try world.alice.read(), ["hello"])
        try world.alice.send(to: "bob", "hello yourself")
        XCTAssertEqual(try world.bob.read(), ["hello yourself"])
    }

    func testRecordsAreEqualWhenTheirBytesAre() throws {
        let world = try World()
        let send = try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data("x".utf8))
        let again = try XCTUnwrap(try world.bob.device.pending(send: send.id))
        XCTAssertEqual(send, again)
        XCTAssertEqual(Set([send, again]).count, 1)
        XCTAssertNotEqual(send, try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data("x".utf8)))
    }

    func testEveryErrorSaysByWhoseFaultItWas() throws {
        let world = try World()
        let unknown = try thrown { _ = try world.alice.device.registry().devices(user: "nobody") }
        guard case .app(107, _, _, _) = unknown else { return XCTFail("\(unknown)") }
        XCTAssertEqual(unknown.code, Code.unknownUser)
        XCTAssertFalse(unknown.reason.isEmpty)
        let empty = try thrown { _ = try world.alice.device.batchEncrypt(recipients: [], payload: Data()) }
        XCTAssertEqual(empty.code.rawValue, 102)
        XCTAssertNotNil(empty.field)
        let garbage = try thrown { _ = try world.relay.publish(user: "alice", device: 1, publication: Data("no".utf8)) }
        guard case .peer = garbage else { return XCTFail("\(garbage)") }
        let store = Store.memory()
        _ = try Device.create(store: store, storeKey: key, user: "carol")
        let wrong = try thrown { _ = try Device.open(store: store, storeKey: Data(count: 32)) }
        guard case .store(405, _, _, _) = wrong else { return XCTFail("\(wrong)") }
    }

    func testKeysAreWipedForEveryHandle() throws {
        let device = try Device.create(store: Store.memory(), storeKey: key, user: "alice")
        let registry = device.registry()
        XCTAssertEqual(try device.useThenWipe { $0.user }, "alice")
        XCTAssertEqual(try thrown { _ = try registry.users() }.code, .closed)
    }

    func testADeviceIsOpenedAgainFromItsFile() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("carol.db").path
        let world = try World()
        let carol = try world.join("carol", try Store.sqlite(path: path))
        try world.bob.send(to: "carol", "kept")
        XCTAssertEqual(try carol.read(), ["kept"])
        try carol.device.wipe()
        let again = try Device.open(store: try Store.sqlite(path: path), storeKey: key)
        XCTAssertEqual(texts(try again.inbox()), ["kept"])
    }

    func testAGroupIsMadeAndSpokenTo() throws {
        let world = try World()
        let needs = [Need.deviceList(user: "bob")]
        _ = try world.alice.device.registry().apply(answers: try world.relay.answer(needs: needs))
        let made = try world.alice.device.createGroup(kind: .pairwise, info: GroupChange(name: "Trip"), users: ["bob"])
        let (group, send) = made.parts
        try world.alice.settle(send)
        XCTAssertEqual(try world.bob.read(), [])
        try world.alice.settle(try group.send(payload: Data("hello, group".utf8)))
        XCTAssertEqual(try world.bob.read(), ["hello, group"])
        XCTAssertEqual(try group.view().members, ["alice", "bob"])
        XCTAssertEqual(try group.view(), try group.view())
    }

    func testManyTasksShareADeviceBehindAnActor() async throws {
        let world = try World()
        let bob = DeviceActor(world.bob.device)
        let ids = try await withThrowingTaskGroup(of: SendId.self) { group in
            for number in 1...40 {
                group.addTask { try await bob.batchEncrypt(recipients: ["alice"], payload: Data("\(number)".utf8)).id }
            }
            return try await group.reduce(into: Set<SendId>()) { $0.insert($1) }
        }
        XCTAssertEqual(ids.count, 40)
        for send in try await bob.outbox() { try world.bob.settle(send) }
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
        try world.bob.settle(try await task.value)
        XCTAssertEqual(try world.alice.read(), ["written"])
    }

    func testNoTextShowsAKey() throws {
        let error = try thrown { _ = try Device.open(store: Store.memory(), storeKey: Data(repeating: 0x41, count: 31)) }
        XCTAssertFalse("\(error) \(error.localizedDescription)".contains("4141"))
        XCTAssertFalse("\(error) \(error.localizedDescription)".contains("AAAA"))
    }

    func testNoTextOfARecordShowsWhatWasSaid() throws {
        let world = try World()
        try world.bob.send(to: "alice", "secret words")
        let results = try world.alice.device.batchDecrypt(envelopes: try world.alice.fetch())
        var text = ""
        dump(results, to: &text)
        text += "\(results)"
        text += "\(GroupChange(name: "Rome", picture: Data("picture".utf8)))"
        XCTAssertTrue(text.contains("12 bytes"), text)
        for hidden in ["secret", "115, 101, 99", "0x73", "Rome", "112, 105, 99"] {
            XCTAssertFalse(text.contains(hidden), text)
        }
    }

    func testAnErrorIsDescribedInASentence() throws {
        let world = try World()
        let error = try thrown { _ = try world.alice.device.pending(send: SendId(Data(count: 15))) }
        XCTAssertEqual(error.localizedDescription, "An argument is outside its documented range (argument send). Code 101.")
        XCTAssertEqual(StoreFault.full.localizedDescription, "The store is full.")
    }

    func testANameIsAValue() {
        let name = SendId(Data(0..<16))
        XCTAssertEqual("\(name)", "SendId(00010203)")
        XCTAssertEqual(Set([name, SendId(Data(0..<16))]).count, 1)
    }
}
