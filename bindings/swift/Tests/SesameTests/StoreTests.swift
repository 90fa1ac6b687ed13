import Foundation
import MemoryStore
import Sesame
import XCTest

private struct OfTheApp: Error {}

final class StoreTests: XCTestCase {
    func testTheMemoryStoreKeepsTheContract() throws {
        XCTAssertNil(try checkStore { MemoryStore() })
    }

    func testTheSuiteSaysWhatAStoreDoesWrong() throws {
        XCTAssertNotNil(try checkStore { Forgetful() })
        let claim = try XCTUnwrap(try checkStore { throw StoreFault.full })
        XCTAssertTrue(claim.contains("full"))
    }

    func testADeviceLivesInAStoreOfTheAppsOwnAndGoesOnFromIt() throws {
        let rows = MemoryStore()
        let world = try World()
        let carol = try world.join("carol", Store.app(store: rows))
        try world.bob.send(to: "carol", text: "hello")
        XCTAssertEqual(try carol.read(), ["hello"])
        try carol.device.close()
        let again = Host(world.relay, try Device.open(store: Store.app(store: rows), storeKey: key, clock: world.clock))
        try world.bob.send(to: "carol", text: "again")
        XCTAssertEqual(try again.read(), ["again"])
    }

    func testEveryFaultHasItsCodeAndNothingChanges() throws {
        let store = FailingStore()
        let device = try Device.create(store: Store.app(store: store), storeKey: key, user: "alice", server: server)
        let faults: [(Int32, any Error)] = [
            (401, StoreFault.busy), (402, StoreFault.io), (403, StoreFault.full), (404, StoreFault.readOnly), (402, OfTheApp()),
        ]
        for (code, fault) in faults {
            for method in ["load", "commit"] {
                let before = store.rows.rows
                store.faults[method] = fault
                let error = try thrown { _ = try device.batchEncrypt(recipients: ["bob"], payload: Data()) }
                store.faults = [:]
                XCTAssertEqual(error.code.rawValue, code)
                XCTAssertEqual(error.detail?.contains("OfTheApp"), fault is OfTheApp ? true : nil)
                XCTAssertEqual(store.rows.rows, before)
            }
        }
        XCTAssertEqual(try device.sends(), [])
    }

    func testAStoreMustNotCallIntoTheLibrary() throws {
        let store = FailingStore()
        let device = try Device.create(store: Store.app(store: store), storeKey: key, user: "alice", server: server)
        var code: Code?
        store.onLoad = { code = try? thrown { _ = try device.groups() }.code }
        XCTAssertEqual(try device.inbox(), [])
        XCTAssertEqual(code, .reentrant)
    }

    func testALimitOfMemoryHoldsUntilTheDeviceIsClosed() throws {
        let store = FailingStore()
        let device = try Device.create(store: Store.app(store: store), storeKey: key, user: "alice", server: server)
        func asks() throws -> Int {
            store.asked = 0
            _ = try device.registry().devices(user: "alice")
            return store.asked
        }
        _ = try asks()
        let kept = try asks()
        try device.setMemoryLimit(limit: 0)
        let nothing = try asks()
        XCTAssertGreaterThan(nothing, kept)
        XCTAssertEqual(try asks(), nothing)
        try device.setMemoryLimit(limit: .max)
        _ = try asks()
        XCTAssertEqual(try asks(), kept)
        try device.close()
        XCTAssertEqual(try thrown { try device.setMemoryLimit(limit: 0) }.code, .closed)
    }

    func testAStoreIsFreedWithItsDevice() throws {
        weak var kept: MemoryStore?
        try {
            let rows = MemoryStore()
            kept = rows
            _ = try Device.create(store: Store.app(store: rows), storeKey: key, user: "alice", server: server)
        }()
        XCTAssertNil(kept)
    }
}
