package sesame

import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.withContext
import kotlinx.io.bytestring.ByteString
import java.util.concurrent.CancellationException

/** What the answers to all requests of one exchange have said. */
public class Exchanged internal constructor() {
    private val seenItems = mutableListOf<ULong>()
    private val seenSends = mutableSetOf<SendId>()
    private val seenProblems = mutableListOf<Code>()

    /** New items of the inbox. */
    public val items: List<ULong>
        get() = seenItems

    /** Sends that changed. */
    public val sends: Set<SendId>
        get() = seenSends

    /** Why requests pause, in the order of the answers; empty when the server took everything. */
    public val problems: List<Code>
        get() = seenProblems

    internal fun add(answered: Answered) {
        seenItems += answered.items
        seenSends += answered.sends
        answered.problem?.let { seenProblems += it }
    }

    override fun toString(): String = "Exchanged(items=${items.size}, sends=${sends.size}, problems=$problems)"
}

/** An HTTP answer as most clients give it. A status that is none, such as -1, counts as no answer. */
public fun ServerAnswer(
    status: Int,
    body: ByteArray = ByteArray(0),
): ServerAnswer = ServerAnswer((if (status in 0..999) status else 0).toUShort(), ByteString(body))

/**
 * Sends every request that is due, one after the other. It always ends, whatever the server answers.
 *
 * [transport] is a POST of the request's body to its path with its headers. An exception out of it counts as no answer: the requests pause,
 * the loop goes on to its end, and then the first such exception is thrown. After a [CancellationException], an [InterruptedException] or a
 * Java Error the loop ends at once, and the request is taken back, so that nothing pauses. What a server says is never an exception: it is in
 * [Exchanged.problems].
 */
@Throws(Exception::class)
public fun Device.exchange(transport: (ServerRequest) -> ServerAnswer): Exchanged = exchanged(DeviceLoop(this), transport)

/** The same for a new device that is being linked. */
@Throws(Exception::class)
public fun Linking.exchange(transport: (ServerRequest) -> ServerAnswer): Exchanged = exchanged(LinkingLoop(this), transport)

/**
 * The same with a [transport] that suspends. Only the calls of the device wait for each other, as in [suspending]: while the network is waited
 * for, other blocks run.
 */
@Throws(Exception::class)
public suspend fun Device.exchangeSuspending(transport: suspend (ServerRequest) -> ServerAnswer): Exchanged =
    exchangedSuspending(this, DeviceLoop(this), transport)

/** The same for a new device that is being linked. */
@Throws(Exception::class)
public suspend fun Linking.exchangeSuspending(transport: suspend (ServerRequest) -> ServerAnswer): Exchanged =
    exchangedSuspending(this, LinkingLoop(this), transport)

/** The calls of a loop. */
private interface Loop {
    fun next(): ServerRequest?

    fun respond(
        id: RequestId,
        answer: ServerAnswer?,
    ): Answered

    fun release(id: RequestId)
}

private class DeviceLoop(
    private val device: Device,
) : Loop {
    override fun next() = device.nextRequest()

    override fun respond(
        id: RequestId,
        answer: ServerAnswer?,
    ) = device.respond(id, answer?.status ?: 0u, answer?.body)

    override fun release(id: RequestId) = device.release(id)
}

private class LinkingLoop(
    private val linking: Linking,
) : Loop {
    override fun next() = linking.nextRequest()

    override fun respond(
        id: RequestId,
        answer: ServerAnswer?,
    ) = linking.respond(id, answer?.status ?: 0u, answer?.body)

    override fun release(id: RequestId) = linking.release(id)
}

private fun endsLoop(thrown: Throwable) = thrown is CancellationException || thrown is InterruptedException || thrown !is Exception

private fun exchanged(
    loop: Loop,
    transport: (ServerRequest) -> ServerAnswer,
): Exchanged {
    val exchanged = Exchanged()
    var failure: Throwable? = null
    while (true) {
        val request = loop.next() ?: break
        val answer =
            runCatching { transport(request) }.onFailure { thrown ->
                if (endsLoop(thrown)) {
                    runCatching { loop.release(request.id) }.onFailure(thrown::addSuppressed)
                    throw thrown
                }
                failure = failure ?: thrown
            }
        exchanged.add(loop.respond(request.id, answer.getOrNull()))
    }
    failure?.let { throw it }
    return exchanged
}

private suspend fun <H : Handle> exchangedSuspending(
    handle: H,
    loop: Loop,
    transport: suspend (ServerRequest) -> ServerAnswer,
): Exchanged {
    val exchanged = Exchanged()
    var failure: Throwable? = null
    while (true) {
        val request = handle.suspending { loop.next() } ?: break
        val answer =
            runCatching { transport(request) }.onFailure { thrown ->
                if (endsLoop(thrown)) {
                    val taken = runCatching { withContext(NonCancellable) { handle.suspending { loop.release(request.id) } } }
                    taken.onFailure(thrown::addSuppressed)
                    throw thrown
                }
                failure = failure ?: thrown
            }
        // An answer that has come is taken in, even when the coroutine is cancelled meanwhile.
        exchanged.add(withContext(NonCancellable) { handle.suspending { loop.respond(request.id, answer.getOrNull()) } })
    }
    failure?.let { throw it }
    return exchanged
}
