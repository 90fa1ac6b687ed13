/**
 * What a message costs through Kotlin, by the size of its batch, as `ffi/benches/batch.rs` does it in Rust.
 *
 * Prints a line each: what, how many items in one call, microseconds an item (the median of the rounds).
 */

package bench

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import sesame.Device
import sesame.LocalRelay
import sesame.PendingSend
import sesame.Received
import sesame.Store
import sesame.StoreKey
import sesame.Submission
import java.nio.file.Files

private const val PEERS = 1000
private val SIZES = listOf(1, 100, 1000)
private const val ROUNDS = 7
private val TEXT =
    "a message of about a hundred bytes, as people write them all day long, in the group or to each other".encodeToByteString()

private class Host(
    val user: String,
    store: Store,
    private val relay: LocalRelay,
) {
    val device = Device.create(store, StoreKey(ByteArray(32) { 1 }), user)

    init {
        generateSequence { device.publication() }.forEach {
            relay.publish(user, 1u, it.bytes)
            device.published(it.id)
        }
    }

    fun settle(first: PendingSend) =
        generateSequence(first) { device.pending(it.id) }.forEach { send ->
            for (batch in send.batches) {
                check(relay.submit(user, 1u, batch) == Submission.Accepted)
                device.accepted(send.id, batch.user)
            }
            device.registry().apply(relay.answer(send.needs))
        }

    fun fetch(): List<ByteString> {
        val mails = relay.fetch(user, 1u, PEERS.toUInt())
        relay.confirm(user, 1u, mails.map { it.id })
        return mails.map { it.envelope }
    }

    fun read() {
        device.batchDecrypt(fetch())
        ack()
    }

    fun ack() =
        device.ack(
            device.inbox().mapNotNull {
                when (it) {
                    is Received.Message -> it.id
                    is Received.Event -> it.id
                    else -> null
                }
            },
        )

    fun meet(peers: List<Host>) {
        settle(device.batchEncrypt(peers.map { it.user }, TEXT))
        for (peer in peers) {
            peer.read()
            peer.settle(peer.device.batchEncrypt(listOf(user), TEXT))
        }
        read()
    }
}

private inline fun <R> timed(
    times: MutableList<Long>,
    call: () -> R,
): R {
    val begun = System.nanoTime()
    return call().also { times += System.nanoTime() - begun }
}

private fun show(
    what: String,
    items: Int,
    times: List<Long>,
) = println("%s %d %.3f".format(what, items, times.sorted()[times.size / 2] / 1e3 / items))

private fun measure(
    kind: String,
    writer: Host,
    reader: Host,
    users: List<String>,
) {
    fun rounds(items: Int) = ROUNDS * if (items == 1) 20 else 1
    for (items in SIZES) {
        val times = mutableListOf<Long>()
        repeat(rounds(items)) {
            val send = timed(times) { writer.device.batchEncrypt(users.take(items), TEXT) }
            check(send.batches.size == items + 1)
            writer.settle(send)
        }
        show("encrypt$kind", items, times)
    }
    for (items in SIZES) {
        val times = mutableListOf<Long>()
        repeat(rounds(items)) {
            repeat(items) { writer.settle(writer.device.batchEncrypt(listOf(reader.user), TEXT)) }
            val envelopes = reader.fetch()
            val results = timed(times) { reader.device.batchDecrypt(envelopes) }
            check(results.count { it is Received.Message } == items)
            reader.ack()
        }
        show("decrypt$kind", items, times)
    }
}

fun main() {
    val relay = LocalRelay()
    val peers = List(PEERS) { Host("peer-$it", Store.memory(), relay) }
    val folder = Files.createTempDirectory("sesame-bench")
    try {
        for (kind in listOf("", "-sqlite")) {
            val (writer, reader) =
                listOf("writer", "reader").map {
                    val store = if (kind.isEmpty()) Store.memory() else Store.sqlite(folder.resolve(it).toString())
                    Host("$it$kind", store, relay)
                }
            writer.meet(peers)
            writer.meet(listOf(reader))
            measure(kind, writer, reader, peers.map { it.user })
        }
        val times = mutableListOf<Long>()
        repeat(20_000) { timed(times) { peers.first().device.id } }
        show("call", 1, times.takeLast(2000))
    } finally {
        folder.toFile().deleteRecursively()
    }
}
