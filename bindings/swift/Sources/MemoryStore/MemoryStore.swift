import Foundation
import Sesame

/// A store of the app's own, in memory: where an app begins that writes one over its own database.
///
/// A hold keeps nobody out here: in one process, who loses a race against another device over the same store runs again. A store that several
/// processes share keeps other writers waiting from a load with `hold` to the next `commit` or `release`.
public final class MemoryStore: AppStore, @unchecked Sendable {
    // Whatever is below is read and written under the lock alone, so that the class is `Sendable`.
    private let lock = NSLock()
    private var kept: [Data: Data]
    private var generation: Data

    /// A fresh store, or one that goes on from rows.
    public init(generation: Data = Data(count: 16), rows: [Data: Data] = [:]) {
        (self.generation, kept) = (generation, rows)
    }

    /// All rows as they are now.
    public var rows: [Data: Data] {
        locked { kept }
    }

    /// A store at the same generation with every row changed, for tests.
    public func map(_ change: (Data) -> Data) -> MemoryStore {
        locked { MemoryStore(generation: generation, rows: kept.mapValues(change)) }
    }

    public func load(queries: [StoreQuery], hold: Bool) throws -> StoreSnapshot {
        locked {
            let found = kept.filter { row in queries.contains { matches($0, row.key) } }
            return StoreSnapshot(generation: generation, rows: found.map { StoreRow(key: $0.key, row: $0.value) })
        }
    }

    public func commit(expected: Data, next: Data, changes: [StoreChange]) throws -> Bool {
        try locked {
            guard expected == generation else { throw StoreFault.conflict }
            for change in changes { kept[change.key] = change.row }
            generation = next
            return true
        }
    }

    public func release() {}

    private func locked<Value>(_ step: () throws -> Value) rethrows -> Value {
        lock.lock()
        defer { lock.unlock() }
        return try step()
    }

    private func matches(_ query: StoreQuery, _ key: Data) -> Bool {
        switch query {
        case let .exact(wanted): return key == wanted
        case let .prefix(prefix): return key.starts(with: prefix)
        }
    }
}
