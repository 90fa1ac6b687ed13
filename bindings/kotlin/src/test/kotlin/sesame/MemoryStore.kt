package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.startsWith

/**
 * A store of the app's own, in memory: where an app begins that writes one over its own database.
 *
 * A hold keeps nobody out here: in one process, who loses a race against another device over the same store runs again. A store that several
 * processes share keeps other writers waiting from a load with `hold` to the next `commit` or `release`.
 */
class MemoryStore(
    private var generation: ByteString = ByteString(ByteArray(16)),
    rows: Map<ByteString, ByteString> = mapOf(),
) : AppStore {
    /** All rows as they are now. */
    @get:Synchronized
    var rows: Map<ByteString, ByteString> = rows
        private set

    @Synchronized
    override fun load(
        queries: List<StoreQuery>,
        hold: Boolean,
    ): StoreSnapshot {
        val found = rows.filterKeys { key -> queries.any { it.matches(key) } }
        return StoreSnapshot(generation, found.map { (key, row) -> StoreRow(key, row) })
    }

    @Synchronized
    override fun commit(
        expected: ByteString,
        next: ByteString,
        changes: List<StoreChange>,
    ): Boolean {
        if (expected != generation) throw StoreFault.Conflict()
        val kept = rows - changes.map { it.key }.toSet()
        rows = kept + changes.mapNotNull { change -> change.row?.let { change.key to it } }
        generation = next
        return true
    }

    override fun release() {}

    /** The same store with every row changed, for tests. */
    @Synchronized
    fun map(change: (ByteString) -> ByteString) = MemoryStore(generation, rows.mapValues { (_, row) -> change(row) })
}

private fun StoreQuery.matches(key: ByteString): Boolean =
    when (this) {
        is StoreQuery.Exact -> key == this.key
        is StoreQuery.Prefix -> key.startsWith(prefix)
    }

/** A store that fails when it is told to, or does something else meanwhile. */
class FailingStore(
    var rows: MemoryStore = MemoryStore(),
) : AppStore {
    val faults: MutableMap<String, Throwable?> = mutableMapOf()
    var onLoad: () -> Unit = {}
    var says = true

    override fun load(
        queries: List<StoreQuery>,
        hold: Boolean,
    ): StoreSnapshot {
        onLoad()
        faults["load"]?.let { throw it }
        return rows.load(queries, hold)
    }

    override fun commit(
        expected: ByteString,
        next: ByteString,
        changes: List<StoreChange>,
    ): Boolean {
        faults["commit"]?.let { throw it }
        return rows.commit(expected, next, changes) && says
    }

    override fun release() = rows.release()
}
