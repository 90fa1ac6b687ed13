/** What a scene has made so far, and what several steps do. */

package story

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonPrimitive
import sesame.Device
import sesame.FailingStore
import sesame.Group
import sesame.GroupId
import sesame.InboxItem
import sesame.Linking
import sesame.LocalRelay
import sesame.NewGroup
import sesame.PendingSend
import sesame.SendId
import sesame.ServerAnswer
import sesame.ServerRequest
import sesame.SesameException
import sesame.Store
import sesame.StoreKey
import sesame.code
import sesame.component1
import sesame.component2
import java.io.File

internal val KEY = StoreKey(ByteArray(32) { 0x5a })
internal const val SERVER = "relay.example"
internal const val MANY = 1000u

/** One step of a scene. A field that is missing is empty, 0 or false. */
@JvmInline
internal value class Step(
    private val json: JsonObject,
) {
    fun has(field: String) = field in json

    fun text(field: String) = json[field]?.jsonPrimitive?.content ?: ""

    fun texts(field: String) = json[field]?.jsonArray?.map { it.jsonPrimitive.content } ?: listOf()

    fun int(field: String) = json[field]?.jsonPrimitive?.int ?: 0

    fun flag(field: String) = json[field]?.jsonPrimitive?.boolean ?: false
}

/** The answer to a request of a kind, which each later one gets again. */
internal class Replay(
    val kind: String,
    var answer: ServerAnswer? = null,
)

/** The answer to every request of one exchange; -1 for none. */
internal class Trouble(
    val status: Int,
    val body: ByteString,
)

/** A device, and what an app keeps around it. */
internal class StoryHost(
    var relay: LocalRelay,
    val store: Store,
    val own: FailingStore?,
    var device: Device,
) {
    val user = device.user
    val id = device.id
    var last = SendId(ByteString(ByteArray(16)))
    var trouble: Trouble? = null
    var replay: Replay? = null

    fun perform(request: ServerRequest): ServerAnswer {
        trouble?.let { return ServerAnswer(it.status.toUShort(), it.body) }
        val repeated = replay?.takeIf { it.kind == request.kind.name.lowercase() }
        repeated?.answer?.let { return it }
        return relay.perform(request).also { repeated?.answer = it }
    }
}

/** What a scene has made so far. */
internal class Stage(
    private val number: Int,
    private val folder: File,
    private val out: MutableList<String>,
) {
    private val hosts = mutableMapOf<String, StoryHost>()
    private val relays = mutableMapOf<String, LocalRelay>()
    private val groups = mutableMapOf<String, GroupId>()
    val mails = mutableMapOf<String, List<ByteString>>()

    inline fun attempt(
        word: String? = null,
        call: () -> Unit,
    ) {
        try {
            call()
            word?.let(::say)
        } catch (error: SesameException) {
            say("! ${error.code.value}")
        }
    }

    fun say(line: String) {
        out += "  $line"
    }

    fun sayAll(lines: List<String>) = lines.ifEmpty { listOf("nothing") }.forEach(::say)

    fun host(name: String) = hosts.getValue(name)

    fun host(step: Step) = host(step.text("device"))

    fun group(step: Step): Group = host(step).device.group(groups.getValue(step.text("group")))

    fun relay(step: Step) = relays.getOrPut(step.text("relay")) { LocalRelay(SERVER) }

    fun store(step: Step): Pair<Store, FailingStore?> =
        when (step.text("store")) {
            "sqlite" -> Store.sqlite(File(folder, "$number-${step.text("device")}.db").path) to null
            "app" -> FailingStore().let { Store.app(it) to it }
            else -> Store.memory() to null
        }

    fun join(
        step: Step,
        host: StoryHost,
    ) {
        hosts[step.text("device")] = host
    }

    fun exchange(host: StoryHost) {
        try {
            while (true) {
                val request = host.device.nextRequest() ?: break
                say(line(request))
                if (host.trouble?.status == -1) {
                    say("  unanswered")
                    continue
                }
                val answer = host.perform(request)
                say("  ${line(answer.status.toInt(), host.device.respond(request.id, answer.status, answer.body))}")
            }
        } finally {
            host.trouble = null
        }
    }

    fun exchange(
        relay: LocalRelay,
        linking: Linking,
    ) {
        while (true) {
            val request = linking.nextRequest() ?: break
            say(line(request))
            val answer = relay.perform(request)
            say("  ${line(answer.status.toInt(), linking.respond(request.id, answer.status, answer.body))}")
        }
    }

    fun show(
        host: StoryHost,
        send: PendingSend,
    ) {
        say(line(send))
        host.last = send.id
    }

    fun standing(host: StoryHost) = lines(host.device.sendStatus(host.last)).forEach(::say)

    /** What a step that sends does once the call has succeeded. */
    fun begin(
        host: StoryHost,
        send: PendingSend,
    ) {
        show(host, send)
        exchange(host)
        standing(host)
    }

    fun begin(
        step: Step,
        made: NewGroup,
    ) {
        val (group, send) = made
        groups[step.text("as")] = group.id
        say("group ${s(group.id)}")
        begin(host(step), send)
    }

    fun inbox(
        host: StoryHost,
        isAcked: Boolean,
    ) {
        val items = host.device.inbox(limit = MANY)
        sayAll(items.map(::line))
        if (isAcked) host.device.ack(items.map { if (it is InboxItem.Event) it.id else (it as InboxItem.Message).id })
    }

    fun read(
        host: StoryHost,
        isAcked: Boolean,
    ) {
        host.device.requestMail(MANY)
        exchange(host)
        inbox(host, isAcked)
    }

    fun deliver(
        host: StoryHost,
        envelopes: List<ByteString>,
    ) {
        host.device.batchDecrypt(envelopes).forEachIndexed { at, result -> say(line(at, result)) }
        inbox(host, true)
    }

    fun hash(text: String) = h(text.encodeToByteString())
}
