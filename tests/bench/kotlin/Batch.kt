/**
 * What a message costs through Kotlin, by the size of its batch, as `ffi/benches/batch.rs` does it in Rust.
 *
 * `encrypt` is a send to so many users to its end, `decrypt` a mailbox of so many messages, both as the library's own time, without the relay.
 * Prints a line each: what, how many items, microseconds an item (the median of the rounds).
 */

package bench

import kotlinx.io.bytestring.encodeToByteString
import sesame.Device
import sesame.InboxItem
import sesame.LocalRelay
import sesame.RequestKind
import sesame.Store
import sesame.StoreKey
import java.nio.file.Files

private const val PEERS = 250
private const val SERVER = "relay.example"
private val SIZES = listOf(1, 100, 250)
private const val ROUNDS = 7
private val TEXT =
    "a message of about a hundred bytes, as people write them all day long, in the group or to each other".encodeToByteString()

private class Host(
    val user: String,
    store: Store,
    private val relay: LocalRelay,
) {
    val device = Device.create(store, StoreKey(ByteArray(32) { 1 }), user, SERVER)

    init {
        exchange()
    }

    /** Runs the loop; gives the nanoseconds that the library itself took, without the relay. */
    fun exchange(): Long {
        var ours = 0L
        while (true) {
            val asked = System.nanoTime()
            val request = device.nextRequest()
            ours += System.nanoTime() - asked
            if (request == null) return ours
            val answer = relay.perform(request)
            check(answer.status.toInt() == 200)
            val answered = System.nanoTime()
            device.respond(request.id, answer.status, answer.body)
            // What follows from mail, its confirmation, is not what is measured.
            if (request.kind != RequestKind.CONFIRM) ours += System.nanoTime() - answered
        }
    }

    /** One send to its end. */
    fun send(to: List<String>): Long {
        val begun = System.nanoTime()
        device.batchEncrypt(to, TEXT)
        val encrypted = System.nanoTime() - begun
        return encrypted + exchange()
    }

    fun ack(): Int {
        val ids =
            device.inbox(limit = UInt.MAX_VALUE).map {
                when (it) {
                    is InboxItem.Message -> it.id
                    is InboxItem.Event -> it.id
                }
            }
        device.ack(ids)
        return ids.size
    }

    /** Opens all that waits. */
    fun read(): Long {
        device.requestMail()
        return exchange()
    }

    /** Begins sessions, and has them answered: what is measured is what most messages are. */
    fun meet(peers: List<Host>) {
        send(peers.map { it.user })
        for (peer in peers) {
            peer.read()
            peer.send(listOf(user))
            peer.ack()
        }
        read()
        ack()
    }
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
        val times =
            List(rounds(items)) {
                writer.send(users.take(items)).also { check(writer.ack() == 1) { "its end" } }
            }
        show("encrypt$kind", items, times)
    }
    for (items in SIZES) {
        val times =
            List(rounds(items)) {
                repeat(items) { writer.send(listOf(reader.user)) }
                writer.ack()
                reader.read().also { check(reader.ack() == items) }
            }
        show("decrypt$kind", items, times)
    }
}

fun main() {
    val relay = LocalRelay(SERVER)
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
        val times =
            List(20_000) {
                val begun = System.nanoTime()
                peers.first().device.id
                System.nanoTime() - begun
            }
        show("call", 1, times.takeLast(2000))
    } finally {
        folder.toFile().deleteRecursively()
    }
}
