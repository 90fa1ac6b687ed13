import Foundation
import Sesame

/// A store of the app's own, in memory: where an app begins that writes one over its own database.
///
/// `faults` makes `load` or `commit` fail, to see what an app sees then; `meanwhile` is run within a load.
public final class MemoryStore: AppStore, @unchecked Sendable {
    public var rows: [Data: Data] = [:]
    public var generation = Data(count: 16)
    public var faults: [String: any Error] = [:]
    public var meanwhile: () -> Void = {}
    private let changed = NSCondition()
    private var held = false

    public init() {}

    public func load(queries: [StoreQuery], hold: Bool) throws -> StoreSnapshot {
        meanwhile()
        changed.lock()
        defer { changed.unlock() }
        if let fault = faults["load"] { throw fault }
        if hold {
            while held { changed.wait() }
            held = true
        }
        let found = rows.filter { row in queries.contains { matches($0, row.key) } }
        return StoreSnapshot(generation: generation, rows: found.map { StoreRow(key: $0.key, row: $0.value) })
    }

    public func commit(expected: Data, next: Data, changes: [StoreChange]) throws -> Bool {
        release()
        changed.lock()
        defer { changed.unlock() }
        if let fault = faults["commit"] { throw fault }
        guard expected == generation else { throw StoreFault.Conflict }
        for change in changes { rows[change.key] = change.row }
        generation = next
        return true
    }

    public func release() {
        changed.lock()
        defer { changed.unlock() }
        held = false
        changed.broadcast()
    }

    private func matches(_ query: StoreQuery, _ key: Data) -> Bool {
        switch query {
        case let .exact(wanted): return key == wanted
        case let .prefix(prefix): return key.starts(with: prefix)
        }
    }
}
