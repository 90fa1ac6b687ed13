package sesame

import java.util.concurrent.CancellationException

/** What methods of the app's store threw in this thread, for the call that they were part of. */
internal object Thrown {
    private val thrown = ThreadLocal<Exception>()

    /** A call begins whose errors [handler] makes: what came before does not concern it. */
    fun begin(handler: Any) {
        if (handler === SesameException.ErrorHandler) thrown.remove()
    }

    /** A method of the app's has ended with [error]. */
    fun by(error: Exception) {
        thrown.set(error)
    }

    /**
     * [error] with what the store threw as its cause. A cancellation and an interruption are no failure of the store: they go on as they are.
     */
    fun causes(error: SesameException): SesameException {
        val cause = thrown.get() ?: return error
        thrown.remove()
        if (error !is SesameException.Store && error.code != Code.REENTRANT) return error
        when (cause) {
            is CancellationException -> {
                throw cause
            }

            is InterruptedException -> {
                Thread.currentThread().interrupt()
                throw cause
            }
        }
        return error.apply { initCause(cause) }
    }
}
