/** One device that is told what to do over standard input: `tests/story/README.md`, "Peers". */

package story

import kotlinx.io.bytestring.ByteString
import sesame.Answers
import sesame.Device
import sesame.Need
import sesame.PublicationId
import sesame.Received
import sesame.SendId
import sesame.SesameException
import sesame.Store
import sesame.StoreKey
import sesame.code

private val KEY = StoreKey(ByteArray(32) { 0x5a })

@OptIn(ExperimentalStdlibApi::class)
private fun ByteString.hex() = toByteArray().toHexString()

@OptIn(ExperimentalStdlibApi::class)
private fun String.bytes() = ByteString(hexToByteArray())

private class Peer {
    private lateinit var device: Device

    fun answer(
        verb: String,
        words: List<String>,
    ): List<String> =
        when (verb) {
            "create" -> take(Device.create(Store.sqlite(words[1]), KEY, words[0]))
            "open" -> take(Device.open(Store.sqlite(words[0]), KEY))
            "close" -> none { device.run { wipe().also { close() } } }
            "publication" -> device.publication()?.let { listOf(it.id.bytes.hex(), it.bytes.hex()) } ?: listOf()
            "published" -> none { device.published(PublicationId(words[0].bytes())) }
            "encrypt" -> none { device.batchEncrypt(words[0].split(","), words[1].bytes()) }
            "outbox" -> outbox()
            "accepted" -> none { device.accepted(SendId(words[0].bytes()), words[1]) }
            "apply" -> apply(words)
            "decrypt" -> decrypt(words.map { it.bytes() })
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

    private fun outbox() =
        device.outbox().flatMap { send ->
            val batches =
                send.batches.map { batch ->
                    check(batch.skips.isEmpty() && !batch.targeted)
                    val envelopes = batch.envelopes.joinToString(",") { "${it.device}=${it.envelope.hex()}" }
                    "batch:${send.id.bytes.hex()}:${batch.user}:$envelopes"
                }
            batches +
                send.needs.map {
                    when (it) {
                        is Need.DeviceList -> "list:${it.user}"
                        is Need.Bundle -> "bundle:${it.user}:${it.device}"
                        else -> error("no peer needs $it")
                    }
                }
        }

    private fun apply(words: List<String>): List<String> {
        val found = words.map { it.split(":") }.groupBy({ it[0] }, { it[1].bytes() })
        val answers = Answers(found["list"].orEmpty(), found["bundle"].orEmpty(), listOf(), listOf())
        return device
            .registry()
            .apply(answers)
            .refusals
            .map { it.code.value.toString() }
    }

    private fun decrypt(envelopes: List<ByteString>): List<String> {
        val results = device.batchDecrypt(envelopes)
        val messages = results.filterIsInstance<Received.Message>()
        val events = results.filterIsInstance<Received.Event>()
        device.ack(messages.map { it.id } + events.map { it.id })
        return results.mapNotNull {
            when (it) {
                is Received.Message -> "${it.content.user}:${it.content.payload.hex()}"
                is Received.Event -> null
                is Received.Duplicate -> "duplicate"
                is Received.Failure -> "failure:${it.code.value}"
                is Received.Held -> "held"
            }
        }
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
