/** One device that is told what to do over standard input: `tests/story/README.md`, "Peers". */

package story

import kotlinx.io.bytestring.ByteString
import sesame.Device
import sesame.Event
import sesame.InboxItem
import sesame.RequestId
import sesame.SesameException
import sesame.Store
import sesame.code

@OptIn(ExperimentalStdlibApi::class)
private fun ByteString.hex() = toByteArray().toHexString()

/** Bytes as a word of a line. */
private fun ByteString.word() = if (size == 0) "-" else hex()

@OptIn(ExperimentalStdlibApi::class)
private fun String.bytes() = if (this == "-") ByteString() else ByteString(hexToByteArray())

private class Peer {
    private lateinit var device: Device

    fun answer(
        verb: String,
        words: List<String>,
    ): List<String> =
        when (verb) {
            "create" -> take(Device.create(Store.sqlite(words[2]), KEY, words[0], words[1]))
            "open" -> take(Device.open(Store.sqlite(words[0]), KEY))
            "close" -> none { device.run { wipe().also { close() } } }
            "encrypt" -> none { device.batchEncrypt(words[0].split(","), words[1].bytes()) }
            "next" -> next()
            "respond" -> {
                val answered = device.respond(RequestId(words[0].bytes()), words[1].toUShort(), words[2].bytes())
                listOfNotNull(answered.problem?.value?.toString())
            }
            "mail" -> none { device.requestMail(words[0].toUInt()) }
            "inbox" -> inbox()
            else -> error("no such verb: $verb")
        }

    private fun take(device: Device): List<String> {
        this.device = device
        return listOf(device.id.toString())
    }

    private inline fun none(call: () -> Unit): List<String> {
        call()
        return listOf()
    }

    private fun next(): List<String> {
        val request = device.nextRequest() ?: return listOf()
        val auth = request.headers.find { it.name == "Sesame-Auth" }?.value ?: "-"
        return listOf(request.id.bytes.hex(), request.path, auth, request.body.word())
    }

    private fun inbox(): List<String> {
        val items = device.inbox(limit = UInt.MAX_VALUE)
        val said =
            items.mapNotNull { item ->
                when (item) {
                    is InboxItem.Message -> "${item.content.user}:${item.content.payload.hex()}"
                    is InboxItem.Event -> said(item.content)
                }
            }
        device.ack(items.map { if (it is InboxItem.Event) it.id else (it as InboxItem.Message).id })
        return said
    }

    private fun said(event: Event): String? =
        when (event) {
            is Event.NotOpened -> "not-opened:${event.code.value}"
            is Event.SendFinished -> event.failed.firstOrNull()?.let { "failed:${it.code.value}" }
            else -> null
        }
}

fun main() {
    val peer = Peer()
    for (line in generateSequence(::readLine)) {
        val words = line.split(" ")
        val said =
            try {
                listOf("ok") + peer.answer(words.first(), words.drop(1))
            } catch (error: SesameException) {
                listOf("error", error.code.value.toString())
            }
        println(said.joinToString(" "))
    }
}
