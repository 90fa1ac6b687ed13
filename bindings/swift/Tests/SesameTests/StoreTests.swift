import Foundation
import MemoryStore
import Sesame
import XCTest

/// Says that it has written, and has not.
private final class Forgetful: AppStore {
    private let inner = MemoryStore()

    func load(queries: [StoreQuery], hold: Bool) throws -> StoreSnapshot {
        try inner.load(queries: queries, hold: hold)
    }

    func commit(expected: Data, next: Data, changes: [StoreChange]) throws -> Bool {
        true
    }

    func release() {}
}

private struct OfTheApp: Error {
    let secret = "secret of the app"
}

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
        try world.bob.send(to: "carol", "hello")
        XCTAssertEqual(try carol.read(), ["hello"])
        try carol.device.wipe()
        let again = try Host(world.relay, try Device.open(store: Store.app(store: rows), storeKey: key))
        try world.bob.send(to: "carol", "again")
        XCTAssertEqual(try again.read(), ["again"])
    }

    func testEveryFaultHasItsCodeAndNothingChanges() throws {
        let store = FailingStore()
        let device = try Device.create(store: Store.app(store: store), storeKey: key, user: "alice")
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
                XCTAssertFalse("\(error)".contains("secret"))
                XCTAssertEqual(store.rows.rows, before)
            }
        }
        XCTAssertEqual(try device.outbox(), [])
    }

    func testAStoreMustNotCallIntoTheLibrary() throws {
        let store = FailingStore()
        let device = try Device.create(store: Store.app(store: store), storeKey: key, user: "alice")
        var code: Code?
        store.onLoad = { code = try? thrown { _ = try device.groups() }.code }
        XCTAssertEqual(try device.inbox(), [])
        XCTAssertEqual(code, .reentrant)
    }

    func testAStoreIsFreedWithItsDevice() throws {
        weak var kept: MemoryStore?
        try {
            let rows = MemoryStore()
            kept = rows
            _ = try Device.create(store: Store.app(store: rows), storeKey: key, user: "alice")
        }()
        XCTAssertNil(kept)
    }
}
