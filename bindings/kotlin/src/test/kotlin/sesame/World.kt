package sesame

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.decodeToString
import kotlinx.io.bytestring.encodeToByteString

val KEY = StoreKey(ByteArray(32) { 0x5a })

/** One device, as an app drives it: it moves bytes between the library and the server. */
class Host(
    private val relay: LocalRelay,
    val device: Device,
) {
    val user = device.user
    val id = device.id

    fun publish() {
        while (true) {
            val upload = device.publication() ?: return
            relay.publish(user, id, upload.bytes)
            device.published(upload.id)
        }
    }

    fun send(
        to: String,
        text: String,
    ) = settle(device.batchEncrypt(listOf(to), text.encodeToByteString()))

    /** Submits every batch and brings what is needed, until the send is settled. */
    tailrec fun settle(send: PendingSend) {
        for (batch in send.batches) {
            when (val said = relay.submit(user, id, batch)) {
                is Submission.Accepted -> device.accepted(send.id, batch.user)
                is Submission.Stale -> device.rejected(send.id, batch.user, said.deviceList)
                is Submission.NoSuchUser -> device.noSuchUser(send.id, batch.user)
            }
        }
        device.registry().apply(relay.answer(send.needs))
        settle(device.pending(send.id) ?: return)
    }

    fun fetch(): List<ByteString> {
        val mails = relay.fetch(user, id)
        relay.confirm(user, id, mails.map { it.id })
        return mails.map { it.envelope }
    }

    fun read(): List<String> = texts(device.batchDecrypt(fetch()))
}

fun texts(results: List<Received>): List<String> = results.filterIsInstance<Received.Message>().map { it.content.payload.decodeToString() }

/** Alice and Bob, each with a device that has been published. */
class World(
    stores: () -> Store = { Store.memory() },
) {
    val relay = LocalRelay()
    val alice = join("alice", stores())
    val bob = join("bob", stores())

    fun join(
        user: String,
        store: Store,
    ) = Host(relay, Device.create(store, KEY, user)).also { it.publish() }
}
