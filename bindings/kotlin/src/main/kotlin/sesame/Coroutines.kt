package sesame

import kotlinx.coroutines.CoroutineDispatcher
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.withContext

/**
 * Runs calls of a handle away from the calling thread: `device.suspending { batchDecrypt(envelopes) }`.
 *
 * A call computes and writes to the store, so it belongs neither on a main thread nor on [Dispatchers.Default] over a slow disk. It cannot be
 * stopped half way: once [block] has begun it comes to its end and its result is given, even when the coroutine is cancelled meanwhile; the
 * cancellation shows at the next suspension. What was encrypted is in [Device.outbox] besides, what was received in [Device.inbox] until
 * [Device.ack].
 */
public suspend fun <H : Disposable, R> H.suspending(
    dispatcher: CoroutineDispatcher = Dispatchers.IO,
    block: H.() -> R,
): R {
    currentCoroutineContext().ensureActive()
    // The outer context is what the result comes back to: it, too, must not be one that drops it.
    return withContext(NonCancellable) { withContext(dispatcher) { block() } }
}
