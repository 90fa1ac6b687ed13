package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.decodeToString
import kotlinx.io.bytestring.encodeToByteString
import java.nio.ByteBuffer
import kotlin.test.assertEquals
import kotlin.test.assertNotNull

val KEY = StoreKey(ByteArray(32) { 0x5a })
const val SERVER = "relay.example"

/** One device, as an app drives it. */
class Host(
    val relay: LocalRelay,
    val device: Device,
) {
    fun exchange(): Exchanged = device.exchange { relay.perform(it) }

    /** What the device asks in one exchange. */
    fun kinds(): List<RequestKind> =
        buildList {
            device.exchange {
                add(it.kind)
                relay.perform(it)
            }
        }

    fun encrypt(
        to: List<String>,
        text: String,
        contentId: ContentId? = null,
    ): PendingSend = device.batchEncrypt(to, text.encodeToByteString(), contentId)

    /** Sends to the end of the loop, and gives how it stands for the first user. */
    fun send(
        to: String,
        text: String,
    ): UserStatus {
        val send = encrypt(listOf(to), text)
        exchange()
        return status(send)
    }

    fun status(send: PendingSend): UserStatus = assertNotNull(device.sendStatus(send.id)).users.first()

    /** Everything that came and was not acked; it is acked. */
    fun items(): List<InboxItem> {
        device.requestMail()
        exchange()
        val items = device.inbox(limit = 4096u)
        device.ack(items.map { it.id })
        return items
    }

    fun read(): List<String> = texts(items())

    fun events(): List<Event> = items().filterIsInstance<InboxItem.Event>().map { it.content }

    /** What waits at the server, taken by another way than the loop, as a push carries it. It stays there. */
    fun pushed(): List<ByteString> {
        device.requestMail()
        val envelopes = mutableListOf<ByteString>()
        device.exchange { request ->
            val answer = relay.perform(request)
            if (request.kind != RequestKind.MAIL) return@exchange answer
            envelopes += mails(answer.body)
            ServerAnswer(503)
        }
        device.retryNow()
        return envelopes
    }
}

val InboxItem.id: ULong
    get() =
        when (this) {
            is InboxItem.Event -> id
            is InboxItem.Message -> id
        }

/** The envelopes in the server's answer to a request for mail: a vector of `{id u64, envelope opaque (u32)}`. */
private fun mails(body: ByteString): List<ByteString> {
    val buffer = ByteBuffer.wrap(body.toByteArray())
    val end = buffer.getInt() + 4
    return buildList {
        while (buffer.position() < end) {
            buffer.getLong()
            add(ByteString(ByteArray(buffer.getInt()).also(buffer::get)))
        }
    }
}

fun texts(items: List<InboxItem>): List<String> = items.filterIsInstance<InboxItem.Message>().map { it.content.payload.decodeToString() }

/** Alice and Bob, each with a device that has been published, and a clock that stands. */
class World(
    stores: () -> Store = { Store.memory() },
) {
    val clock = TestClock()
    val relay = LocalRelay(SERVER, clock)
    val alice = join("alice", stores())
    val bob = join("bob", stores())

    fun create(
        user: String,
        store: Store = Store.memory(),
        relay: LocalRelay = this.relay,
    ) = Host(relay, Device.create(store, KEY, user, SERVER, null, clock))

    fun join(
        user: String,
        store: Store = Store.memory(),
    ) = create(user, store).also { it.exchange() }

    fun open(store: Store) = Host(relay, Device.open(store, KEY, clock))

    /** Another device of a user, linked by the primary. */
    fun link(
        primary: Host,
        store: Store = Store.memory(),
    ): Host {
        val linking = Linking.begin(store, KEY, SERVER, clock)
        val pending = primary.device.linkDevice(linking.code)
        primary.exchange()
        linking.exchange { relay.perform(it) }
        assertEquals(pending.digits, linking.digits())
        linking.confirm()
        val id = pending.confirm()
        primary.exchange()
        linking.exchange { relay.perform(it) }
        val device = assertNotNull(linking.device())
        assertEquals(id, device.id)
        return Host(relay, device).also { it.exchange() }
    }

    /** Alice loses everything and begins anew at a server that knows nobody, where Bob goes as well: Bob there, and the other Alice. */
    fun reborn(): Pair<Host, Host> {
        bob.send("alice", "so that the key is pinned")
        val other = LocalRelay(SERVER, clock)
        val again = create("alice", relay = other).also { it.exchange() }
        val moved = Host(other, bob.device)
        // The other server asks Bob's device for its first upload.
        moved.device.requestMail()
        repeat(4) {
            moved.exchange()
            clock.advance(java.time.Duration.ofSeconds(5))
        }
        return moved to again
    }
}
