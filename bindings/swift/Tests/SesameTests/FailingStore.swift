import Foundation
import MemoryStore
import Sesame

/// A store that fails when it is told to. One thread at a time, as a test is.
final class FailingStore: AppStore, @unchecked Sendable {
    var rows = MemoryStore()
    var faults: [String: any Error] = [:]
    var onLoad: () -> Void = {}
    /// How many queries there were.
    var asked = 0

    func load(queries: [StoreQuery], hold: Bool) throws -> StoreSnapshot {
        onLoad()
        asked += queries.count
        if let fault = faults["load"] { throw fault }
        return try rows.load(queries: queries, hold: hold)
    }

    func commit(expected: Data, next: Data, changes: [StoreChange]) throws -> Bool {
        if let fault = faults["commit"] { throw fault }
        return try rows.commit(expected: expected, next: next, changes: changes)
    }

    func release() {}
}
