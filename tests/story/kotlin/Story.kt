/** Plays the story of `tests/story/story.json`; `tests/story/README.md` says what each step does and prints. */

package story

import com.sun.jna.Function
import com.sun.jna.NativeLibrary
import java.io.File
import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.boolean
import kotlinx.serialization.json.int
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import sesame.AccountKey
import sesame.Answers
import sesame.Applied
import sesame.Device
import sesame.FailingStore
import sesame.Group
import sesame.GroupChange
import sesame.GroupId
import sesame.GroupKind
import sesame.Linking
import sesame.LocalRelay
import sesame.Need
import sesame.NewGroup
import sesame.PendingSend
import sesame.Received
import sesame.SesameException
import sesame.Store
import sesame.StoreFault
import sesame.StoreKey
import sesame.Submission
import sesame.code
import sesame.component1
import sesame.component2

private val KEY = StoreKey(ByteArray(32) { 0x5a })
private const val DAY = 24L * 60 * 60 * 1000
private const val MANY = 1000u

/** The library's seed and clock. */
private object Outside {
    private val library = NativeLibrary.getInstance("sesame_ffi")
    private val outside: Function = library.getFunction("sesame_test_outside")
    private val advance: Function = library.getFunction("sesame_test_advance")

    fun set(
        seed: Long,
        now: Long,
    ) = outside.invokeVoid(arrayOf(seed, now))

    fun advance(ms: Long) = advance.invokeVoid(arrayOf(ms))
}

private fun fault(number: Int): StoreFault? =
    when (number) {
        1 -> StoreFault.Conflict()
        401 -> StoreFault.Busy()
        402 -> StoreFault.Io()
        403 -> StoreFault.Full()
        404 -> StoreFault.ReadOnly()
        411 -> StoreFault.OutcomeUnknown()
        else -> null
    }

/** One step of a scene. */
@JvmInline
private value class Step(
    private val json: JsonObject,
) {
    fun has(field: String) = field in json

    fun text(field: String) = json.getValue(field).jsonPrimitive.content

    fun texts(field: String) = json.getValue(field).jsonArray.map { it.jsonPrimitive.content }

    fun int(field: String) = json.getValue(field).jsonPrimitive.int

    fun flag(field: String) = json.getValue(field).jsonPrimitive.boolean
}

/** A device, and what an app keeps around it. */
private class Host(
    val relay: LocalRelay,
    val store: Store,
    val own: FailingStore?,
    var device: Device,
) {
    val user = device.user
    val id = device.id
}

/** What a scene has made so far. */
private class Scene(
    private val number: Int,
    private val folder: File,
    private val out: MutableList<String>,
) {
    private val hosts = mutableMapOf<String, Host>()
    private val relays = mutableMapOf<String, LocalRelay>()
    private val groups = mutableMapOf<String, GroupId>()
    private val mails = mutableMapOf<String, List<ByteString>>()

    fun play(step: Step) {
        out += "> ${step.text("do")}" + if (step.has("device")) " ${step.text("device")}" else ""
        attempt { act(step) }
    }

    private inline fun attempt(call: () -> Unit) {
        try {
            call()
        } catch (error: SesameException) {
            say("! ${error.code.value}")
        }
    }

    private fun say(line: String) {
        out += "  $line"
    }

    private fun sayAll(lines: List<String>) = lines.ifEmpty { listOf("nothing") }.forEach(::say)

    private fun sayAll(results: Iterable<Received>) = sayAll(results.map(::line))

    private fun say(applied: Applied) {
        applied.events.forEach { say(line(it)) }
        applied.refusals.forEach { say("refused ${it.field} ${it.item} ${it.code.value}") }
    }

    // What several steps do.

    private fun host(step: Step) = hosts.getValue(step.text("device"))

    private fun device(step: Step) = host(step).device

    private fun group(step: Step): Group = device(step).group(groups.getValue(step.text("group")))

    private fun relay(step: Step) = relays.getOrPut(if (step.has("relay")) step.text("relay") else "") { LocalRelay() }

    private fun store(step: Step): Pair<Store, FailingStore?> =
        when (if (step.has("store")) step.text("store") else "memory") {
            "sqlite" -> Store.sqlite(File(folder, "$number-${step.text("device")}.db").path) to null
            "app" -> FailingStore().let { Store.app(it) to it }
            else -> Store.memory() to null
        }

    private fun join(
        step: Step,
        host: Host,
    ): Host {
        hosts[step.text("device")] = host
        say("device ${host.id}")
        return host
    }

    private fun publish(host: Host) {
        while (true) {
            val upload = host.device.publication() ?: return
            val left = host.relay.publish(host.user, host.id, upload.bytes)
            say("publishes ${upload.bytes.size} ${h(upload.bytes)} left $left")
            host.device.published(upload.id)
        }
    }

    private fun settle(host: Host) {
        for (round in 1..8) {
            var progress = false
            for (send in host.device.outbox()) {
                lines(send).forEach(::say)
                progress = round(host, send) || progress
            }
            if (!progress) break
        }
        val left = host.device.outbox().size
        say(if (left == 0) "settled" else "unsettled $left")
    }

    /** One send's batches and needs; whether anything happened. */
    private fun round(
        host: Host,
        send: PendingSend,
    ): Boolean {
        var progress = send.batches.isNotEmpty()
        for (batch in send.batches) {
            when (val said = host.relay.submit(host.user, host.id, batch)) {
                is Submission.Accepted -> {
                    say("${batch.user} accepted")
                    host.device.accepted(send.id, batch.user)
                }
                is Submission.Stale -> {
                    say("${batch.user} stale" + words(named("missing", said.missing), named("gone", said.gone)))
                    host.device.rejected(send.id, batch.user, said.deviceList)
                }
                is Submission.NoSuchUser -> {
                    say("${batch.user} unknown")
                    host.device.noSuchUser(send.id, batch.user)
                }
            }
        }
        if (Need.Publication in send.needs) {
            publish(host)
            progress = true
        }
        val answers = host.relay.answer(send.needs)
        if (answers != Answers(listOf(), listOf(), listOf(), listOf())) {
            say(host.device.registry().apply(answers))
            progress = true
        }
        return progress
    }

    private fun begin(
        host: Host,
        send: PendingSend,
    ) {
        lines(send).forEach(::say)
        settle(host)
    }

    private fun begin(
        step: Step,
        made: NewGroup,
    ) {
        val (group, send) = made
        groups[step.text("as")] = group.id
        say("group ${s(group.id)}")
        begin(host(step), send)
    }

    private fun take(
        host: Host,
        results: List<Received>,
    ) {
        sayAll(results)
        host.device.ack(
            results.mapNotNull {
                when (it) {
                    is Received.Message -> it.id
                    is Received.Event -> it.id
                    else -> null
                }
            },
        )
    }

    private fun read(host: Host) {
        val mails = host.relay.fetch(host.user, host.id, MANY)
        val results = if (mails.isEmpty()) listOf() else host.device.batchDecrypt(mails.map { it.envelope })
        val kept = results.filterIsInstance<Received.Failure>().filterNot { it.confirm }.map { it.envelope.toInt() }
        val done = mails.filterIndexed { at, _ -> at !in kept }.map { it.id }
        host.relay.confirm(host.user, host.id, done)
        take(host, results)
    }

    private fun steal(step: Step) {
        val host = host(step)
        val found = host.relay.fetch(host.user, host.id, MANY)
        host.relay.confirm(host.user, host.id, found.map { it.id })
        mails[step.text("as")] = found.map { it.envelope }
        say("stolen ${found.size}")
    }

    private fun spoilt(step: Step): ByteString {
        val envelope = mails.getValue(step.text("mails")).first().toByteArray()
        val (at, cut) = step.int("at") to step.int("cut")
        if (at >= 0) envelope[at] = (envelope[at].toInt() xor 1).toByte()
        return ByteString(if (cut > 0) envelope.copyOf(cut) else envelope)
    }

    private fun link(step: Step) {
        val primary = hosts.getValue(step.text("primary"))
        val (store, own) = store(step)
        Linking.begin(store, KEY).use { linking ->
            say("code ${h(linking.code.encodeToByteString())}")
            val answer = primary.device.confirmLink(linking.code)
            say("answer ${answer.size} ${h(answer)}")
            val host = join(step, Host(primary.relay, store, own, linking.complete(answer)))
            publish(primary)
            publish(host)
        }
    }

    private fun linkWrong(step: Step) {
        Linking.begin(Store.memory(), KEY).use { linking ->
            attempt { device(step).confirmLink("no code") }
            attempt { linking.complete("no answer".encodeToByteString()) }
        }
    }

    private fun reopen(host: Host) {
        host.device.wipe()
        host.device.close()
        host.device = Device.open(host.store, KEY)
        say("device ${host.device.id}")
    }

    private fun acceptIdentity(step: Step) {
        val registry = device(step).registry()
        val user = registry.users().find { it.user == step.text("user") }
        val key = user?.let { if (step.flag("claimed")) it.claimedKey else it.accountKey }
        take(host(step), registry.acceptIdentity(step.text("user"), key ?: AccountKey(ByteString(ByteArray(32)))))
    }

    private fun applyGarbage(step: Step) {
        val (list, bundle) = "no list".encodeToByteString() to "no bundle".encodeToByteString()
        say(device(step).registry().apply(Answers(listOf(list), listOf(bundle), listOf(), listOf())))
    }

    private fun spoil(step: Step) {
        val own = host(step).own!!
        own.rows =
            own.rows.map { row ->
                val bytes = row.toByteArray()
                bytes[bytes.lastIndex] = (bytes.last().toInt() xor 1).toByte()
                ByteString(bytes)
            }
    }

    private fun history(step: Step) =
        group(step).history().forEach {
            say("${s(it.id)} ${it.user}/${it.device} ${line(it.act)} ${if (it.counts) "counts" else "void"}")
        }

    private fun cost(step: Step) {
        val cost = group(step).cost(step.int("number").toULong())
        say("${cost.envelopes} envelopes ${cost.bytes} bytes" + words(named("unknown", cost.unknown)))
    }

    private fun seen(step: Step) {
        val view = relay(step).view()
        view.seen.forEach { say(line(it)) }
        for (each in view.waiting.filter { it.count > 0u }) {
            say("waiting ${each.address.user}/${each.address.device} ${each.count}")
        }
    }

    private fun text(step: Step) = step.text("text").encodeToByteString()

    private fun number(step: Step) = step.int("number").toUInt()

    private fun encrypt(
        step: Step,
        payload: ByteString,
    ) = lines(device(step).batchEncrypt(step.texts("to"), payload)).forEach(::say)

    private fun act(step: Step) {
        when (step.text("do")) {
            "create" -> {
                val relay = relay(step)
                val (store, own) = store(step)
                publish(join(step, Host(relay, store, own, Device.create(store, KEY, step.text("user")))))
            }
            "publish" -> publish(host(step))
            "link" -> link(step)
            "link_wrong" -> linkWrong(step)
            "encrypt" -> encrypt(step, text(step))
            "encrypt_long" -> encrypt(step, "x".repeat(step.int("number")).encodeToByteString())
            "send" -> {
                encrypt(step, text(step))
                settle(host(step))
            }
            "settle" -> settle(host(step))
            "read" -> read(host(step))
            "peek" -> {
                val host = host(step)
                sayAll(host.device.batchDecrypt(host.relay.fetch(host.user, host.id, MANY).map { it.envelope }))
            }
            "steal" -> steal(step)
            "deliver" -> {
                val found = mails.getValue(step.text("mails"))
                val ordered = if (step.text("order") == "reversed") found.reversed() else found
                take(host(step), device(step).batchDecrypt(ordered))
            }
            "deliver_spoilt" -> take(host(step), device(step).batchDecrypt(listOf(spoilt(step))))
            "decrypt_many" -> {
                val results = device(step).batchDecrypt(List(step.int("number")) { ByteString() })
                say("${results.size} results")
            }
            "inbox" -> sayAll(device(step).inbox())
            "outbox" -> sayAll(device(step).outbox().flatMap(::lines))
            "reopen" -> reopen(host(step))
            "close" -> device(step).wipe()
            "tick" -> sayAll(device(step).tick().map { line(it) })
            "advance" -> Outside.advance(step.int("days") * DAY)
            "meet" -> {
                val needs = step.texts("users").map { Need.DeviceList(it) }
                say(device(step).registry().apply(relay(step).answer(needs)))
            }
            "group" -> {
                val name = GroupChange(name = step.text("name"))
                begin(step, device(step).createGroup(GroupKind.PAIRWISE, name, step.texts("users")))
            }
            "fork" -> begin(step, group(step).forkWithout(step.texts("users")))
            "add" -> begin(host(step), group(step).add(step.texts("users")))
            "rename" -> begin(host(step), group(step).rename(step.text("name")))
            "leave" -> begin(host(step), group(step).leave())
            "accept" -> begin(host(step), group(step).accept())
            "decline" -> begin(host(step), group(step).decline())
            "say" -> begin(host(step), group(step).send(text(step)))
            "view" -> say(line(group(step).view()))
            "groups" -> sayAll(device(step).groups().map { line(it) })
            "history" -> history(step)
            "cost" -> cost(step)
            "session" -> say(line(device(step).session(step.text("user"), number(step)).info()))
            "group_session" -> say(line(group(step).session(step.text("user"), number(step))))
            "session_send" -> begin(host(step), device(step).session(step.text("user"), number(step)).encrypt(text(step)))
            "users" -> device(step).registry().users().forEach { say(line(it)) }
            "devices" -> device(step).registry().devices(step.text("user")).forEach { say(line(it)) }
            "safety" -> say("safety ${device(step).registry().safetyNumber(step.text("user"))}")
            "verify" -> device(step).registry().markVerified(step.text("user"))
            "resolve_fork" -> device(step).registry().resolveFork(step.text("user"))
            "accept_identity" -> acceptIdentity(step)
            "abandon" -> device(step).outbox().forEach { device(step).abandon(it.id, step.text("user")) }
            "remove_device" -> sayAll(device(step).removeDevice(number(step)).map { line(it) })
            "fail" -> host(step).own!!.faults[step.text("method")] = fault(step.int("with"))
            "open_wrong_key" -> Device.open(host(step).store, StoreKey(ByteArray(32) { 0x5b }))
            "create_over" -> Device.create(host(step).store, KEY, host(step).user)
            "open_empty" -> Device.open(Store.memory(), KEY)
            "spoil" -> spoil(step)
            "apply_garbage" -> applyGarbage(step)
            "seen" -> seen(step)
            else -> error("no such step: ${step.text("do")}")
        }
    }
}

fun main(arguments: Array<String>) {
    val (script, folder) = arguments
    val story = Json.parseToJsonElement(File(script).readText()).jsonObject
    val (seed, now) = listOf("seed", "now").map { story.getValue(it).jsonPrimitive.long }
    val out = mutableListOf<String>()
    story.getValue("scenes").jsonArray.map { it.jsonObject }.forEachIndexed { number, scene ->
        Outside.set(seed + number, now)
        out += "# scene ${scene.getValue("name").jsonPrimitive.content}"
        val told = Scene(number, File(folder), out)
        scene.getValue("steps").jsonArray.forEach { told.play(Step(it.jsonObject)) }
    }
    System.out.write((out.joinToString("\n") + "\n").encodeToByteArray())
    System.out.flush()
}
