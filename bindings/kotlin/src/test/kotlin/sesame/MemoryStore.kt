package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.startsWith
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/**
 * A store of the app's own, in memory: where an app begins that writes one over its own database.
 *
 * [faults] makes `load` or `commit` fail, to see what an app sees then.
 */
class MemoryStore : AppStore {
    var rows: Map<ByteString, ByteString> = emptyMap()
    var generation: ByteString = ByteString(ByteArray(16))
    val faults: MutableMap<String, StoreFault?> = mutableMapOf()
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private var held = false

    override fun load(
        queries: List<StoreQuery>,
        hold: Boolean,
    ): StoreSnapshot =
        lock.withLock {
            faults["load"]?.let { throw it }
            if (hold) {
                while (held) changed.await()
                held = true
            }
            val found = rows.filterKeys { key -> queries.any { it.matches(key) } }
            StoreSnapshot(generation, found.map { (key, row) -> StoreRow(key, row) })
        }

    override fun commit(
        expected: ByteString,
        next: ByteString,
        changes: List<StoreChange>,
    ): Boolean =
        lock.withLock {
            release()
            faults["commit"]?.let { throw it }
            if (expected != generation) throw StoreFault.Conflict()
            val kept = rows - changes.map { it.key }.toSet()
            rows = kept + changes.mapNotNull { change -> change.row?.let { change.key to it } }
            generation = next
            true
        }

    override fun release() =
        lock.withLock {
            held = false
            changed.signalAll()
        }
}

private fun StoreQuery.matches(key: ByteString): Boolean =
    when (this) {
        is StoreQuery.Exact -> key == this.key
        is StoreQuery.Prefix -> key.startsWith(prefix)
    }
