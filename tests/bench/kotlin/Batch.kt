/**
 * What a message costs through Kotlin, by the size of its batch, as `ffi/benches/batch.rs` does it in Rust.
 *
 * `encrypt` is a send to so many users to its end, `decrypt` a mailbox of so many messages, both through the loop and without the relay;
 * `inbox` reads what they said, the sender and the payload of each; `envelopes` is `batchDecrypt` of so many envelopes with a look at each
 * result; `ack` ends so many items. Prints a line each: what, how many items, microseconds of this thread an item (the median of the rounds).
 */

package bench

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import sesame.Device
import sesame.InboxItem
import sesame.LocalRelay
import sesame.MailOutcome
import sesame.RequestKind
import sesame.Store
import sesame.StoreKey
import java.lang.management.ManagementFactory
import java.nio.file.Files

private const val PEERS = 250
private const val SERVER = "relay.example"

/** What is done first and not shown: the JVM compiles what is called often. */
private const val WARM_UP = "-warm-up"

private val SENDS = listOf(1, 100, PEERS)
private val MAILS = listOf(1, 100, 1000)
private val TEXT =
    "a message of about a hundred bytes, as people write them all day long, in the group or to each other".encodeToByteString()

private val threads = ManagementFactory.getThreadMXBean()

/** The processor time of this thread, in nanoseconds. */
private fun now() = threads.currentThreadCpuTime

private class Host(
    val user: String,
    store: Store,
    val relay: LocalRelay,
) {
    val device = Device.create(store, StoreKey(ByteArray(32) { 1 }), user, SERVER)

    init {
        exchange()
    }

    /** Runs the loop; gives the nanoseconds that the library itself took, without the relay. */
    fun exchange(): Long {
        var ours = 0L
        while (true) {
            val asked = now()
            val request = device.nextRequest()
            ours += now() - asked
            if (request == null) return ours
            val answer = relay.perform(request)
            check(answer.status.toInt() == 200)
            val answered = now()
            device.respond(request.id, answer.status, answer.body)
            // What follows from mail, its confirmation, is not what is measured.
            if (request.kind != RequestKind.CONFIRM) ours += now() - answered
        }
    }

    /** One send to its end. */
    fun send(to: List<String>): Long {
        val begun = now()
        device.batchEncrypt(to, TEXT)
        val encrypted = now() - begun
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

    /** Reads the inbox as an app does: the ids, and the bytes of the senders' names and of the payloads. */
    fun look(): Pair<List<ULong>, Int> {
        var bytes = 0
        val ids =
            device.inbox(limit = UInt.MAX_VALUE).map {
                when (it) {
                    is InboxItem.Message -> it.id.also { _ -> bytes += it.content.user.length + it.content.payload.size }
                    is InboxItem.Event -> it.id
                }
            }
        return ids to bytes
    }

    /** How many of these envelopes were opened. */
    fun open(envelopes: List<ByteString>) = device.batchDecrypt(envelopes).count { it.outcome == MailOutcome.OPENED }

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
) {
    if (WARM_UP !in what) println("%s %d %.3f".format(what, items, times.sorted()[times.size / 2] / 1e3 / items))
}

private fun rounds(items: Int) =
    when (items) {
        1 -> 60
        100 -> 11
        else -> 5
    }

/** Puts so many messages into the reader's mailbox. */
private fun write(
    writer: Host,
    reader: Host,
    items: Int,
) {
    repeat(items) { writer.send(listOf(reader.user)) }
    writer.ack()
}

private fun measure(
    kind: String,
    writer: Host,
    reader: Host,
    users: List<String>,
) {
    for (items in SENDS) {
        val times =
            List(rounds(items)) {
                writer.send(users.take(items)).also { check(writer.ack() == 1) { "its end" } }
            }
        show("encrypt$kind", items, times)
    }
    for (items in if (kind == "-sqlite") MAILS.dropLast(1) else MAILS) {
        val figures = listOf("decrypt", "inbox", "envelopes", "ack").associateWith { mutableListOf<Long>() }
        repeat(rounds(items)) {
            write(writer, reader, items)
            figures.getValue("decrypt") += reader.read()
            var begun = now()
            val (ids, bytes) = reader.look()
            figures.getValue("inbox") += now() - begun
            check(bytes == items * (writer.user.length + TEXT.size))
            begun = now()
            reader.device.ack(ids)
            figures.getValue("ack") += now() - begun
            write(writer, reader, items)
            val envelopes = reader.relay.mailbox(reader.user, reader.device.id)
            begun = now()
            val opened = reader.open(envelopes)
            figures.getValue("envelopes") += now() - begun
            check(opened == items)
            reader.relay.lose(reader.user, reader.device.id)
            reader.exchange()
            check(reader.ack() == items)
        }
        for ((what, times) in figures) show("$what$kind", items, times)
    }
}

fun main() {
    val relay = LocalRelay(SERVER)
    val peers = List(PEERS) { Host("peer-$it", Store.memory(), relay) }
    val folder = Files.createTempDirectory("sesame-bench")
    try {
        for (kind in listOf(WARM_UP, "", "-sqlite")) {
            val (writer, reader) =
                listOf("writer", "reader").map {
                    val store = if (kind == "-sqlite") Store.sqlite(folder.resolve(it).toString()) else Store.memory()
                    Host("$it$kind", store, relay)
                }
            writer.meet(peers)
            writer.meet(listOf(reader))
            measure(kind, writer, reader, peers.map { it.user })
        }
        val times =
            List(20) {
                val begun = now()
                repeat(1000) { peers.first().device.id }
                (now() - begun) / 1000
            }
        show("call", 1, times)
    } finally {
        folder.toFile().deleteRecursively()
    }
}
