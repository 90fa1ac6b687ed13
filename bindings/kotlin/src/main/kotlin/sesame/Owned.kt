package sesame

import java.util.concurrent.atomic.AtomicBoolean
import java.util.concurrent.atomic.AtomicLong

/**
 * What an app holds of the library: a [Device], a [Store], a [Group] and so on.
 *
 * [close] may be called by any thread, at any time and more than once. A call that has begun comes to its end; a later one, and one that takes
 * the handle as an argument, fails with [Code.CLOSED].
 */
public sealed class Handle : AutoCloseable {
    /** What this handle has of the library. */
    internal abstract val owned: Owned

    /** Lets go of it; what the library keeps in memory ends with the last handle. */
    final override fun close(): Unit = owned.close()
}

/** Tells the constructor from a handle and one of a class's own, which may take a number too. */
internal object UniffiWithHandle

/** How the library copies and frees the handles of one class. */
internal abstract class HandleKind {
    abstract fun copy(handle: Long): Long

    abstract fun free(handle: Long)
}

/** A handle of the library, freed once: by [close] after the last call, or when nobody can reach it any more. */
internal class Owned(
    private val handle: Long,
    val kind: HandleKind,
) {
    /** Calls that are suspended wait here for each other. */
    @Volatile
    var lane = Lane()

    private val isClosed = AtomicBoolean()

    /** The calls that are under way, and one more until [close]. */
    private val users = AtomicLong(1)
    private val cleanable = UniffiLib.CLEANER.register(this, Freed(handle, kind))

    /** Gives a copy of the handle to [block], which the library frees. */
    inline fun <R> use(block: (Long) -> R): R {
        enter()
        try {
            return block(kind.copy(handle))
        } finally {
            leave()
        }
    }

    /** A copy of the handle, which its taker frees. */
    fun copy(): Long = use { it }

    fun close() {
        if (isClosed.compareAndSet(false, true)) leave()
    }

    private fun enter() {
        do {
            val count = users.get()
            if (isClosed.get() || count == 0L) throw closed(null)
        } while (!users.compareAndSet(count, count + 1))
    }

    private fun leave() {
        if (users.decrementAndGet() == 0L) cleanable.clean()
    }

    /** Holds no reference to the handle's owner, or the owner were always reachable. */
    private class Freed(
        private val handle: Long,
        private val kind: HandleKind,
    ) : Runnable {
        override fun run() = kind.free(handle)
    }
}

/** A call of a handle that is closed. */
internal fun closed(field: String?): SesameException = SesameException.App(Code.CLOSED, "the handle is closed", null, field, null)
