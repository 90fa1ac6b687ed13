package sesame

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext

/**
 * Runs calls of a handle away from the calling thread: `device.suspending { batchDecrypt(envelopes) }`.
 *
 * One block runs at a time for a device and the groups, sessions and registries of it; the others wait without a thread. The thread is not
 * one of the 64 of [Dispatchers.IO], so an [AppStore] may itself wait for [Dispatchers.IO]. Give a [dispatcher] to run elsewhere, still one at
 * a time.
 *
 * A block that waits can be cancelled. Once [block] has begun it comes to its end and its result is given, even when the coroutine is
 * cancelled meanwhile; the cancellation shows at the next suspension. What was encrypted is in [Device.sends], what was received in
 * [Device.inbox] until [Device.ack].
 *
 * A block must not wait for another block of the same device.
 */
public suspend fun <H : Handle, R> H.suspending(
    dispatcher: CoroutineDispatcher? = null,
    block: H.() -> R,
): R {
    val lane = owned.lane
    return lane.mutex.withLock {
        currentCoroutineContext().ensureActive()
        // The outer context is what the result comes back to: it, too, must not be one that drops it.
        withContext(NonCancellable) { withContext(dispatcher ?: lane.dispatcher) { block() } }
    }
}

/** Where the suspended calls of one device run, one after the other. */
internal class Lane {
    val mutex = Mutex()

    /** A view of its own: the limit of [Dispatchers.IO] does not count its thread. */
    val dispatcher: CoroutineDispatcher by lazy { Dispatchers.IO.limitedParallelism(1) }
}
