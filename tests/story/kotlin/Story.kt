/** Plays the story of `tests/story/story.json`; `tests/story/README.md` says what each step does and prints. */

package story

import com.sun.jna.Function
import com.sun.jna.NativeLibrary
import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.encodeToByteString
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.jsonArray
import kotlinx.serialization.json.jsonObject
import kotlinx.serialization.json.jsonPrimitive
import kotlinx.serialization.json.long
import sesame.AccountKey
import sesame.ContentId
import sesame.Device
import sesame.GroupChange
import sesame.GroupKind
import sesame.HandoverId
import sesame.Linking
import sesame.ListHash
import sesame.RequestId
import sesame.Store
import sesame.StoreFault
import sesame.StoreKey
import java.io.File

private const val SECOND = 1000L
private const val DAY = 24L * 60 * 60 * SECOND

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

/** Plays the steps of a scene. */
private class Scene(
    private val stage: Stage,
    private val out: MutableList<String>,
) {
    fun play(step: Step) {
        out += "> ${step.text("do")}" + if (step.has("device")) " ${step.text("device")}" else ""
        stage.attempt { act(step) }
    }

    private fun say(line: String) = stage.say(line)

    private fun sayAll(lines: List<String>) = stage.sayAll(lines)

    private fun host(step: Step) = stage.host(step)

    private fun device(step: Step) = host(step).device

    private fun group(step: Step) = stage.group(step)

    private fun registry(step: Step) = device(step).registry()

    private fun exchange(step: Step) = stage.exchange(host(step))

    private fun text(step: Step) = step.text("text").encodeToByteString()

    private fun user(step: Step) = step.text("user")

    private fun number(step: Step) = step.int("number").toUInt()

    private fun create(step: Step) {
        val relay = stage.relay(step)
        val (store, own) = stage.store(step)
        val host = StoryHost(relay, store, own, Device.create(store, KEY, user(step), SERVER))
        stage.join(step, host)
        say("device ${host.id}")
        stage.exchange(host)
    }

    private fun link(step: Step) {
        val primary = stage.host(step.text("primary"))
        val (store, own) = stage.store(step)
        Linking.begin(store, KEY, SERVER).use { linking ->
            say("code ${stage.hash(linking.code)}")
            val pending = primary.device.linkDevice(linking.code)
            stage.exchange(primary)
            stage.exchange(primary.relay, linking)
            val digits = linking.digits() ?: ""
            say("digits $digits" + if (digits == pending.digits) "" else " other ${pending.digits}")
            linking.confirm()
            say("device ${pending.confirm()}")
            stage.exchange(primary)
            stage.exchange(primary.relay, linking)
            val host = StoryHost(primary.relay, store, own, linking.device()!!)
            stage.join(step, host)
            stage.exchange(host)
        }
    }

    private fun linkWrong(step: Step) {
        val device = device(step)
        val linking = Linking.begin(Store.memory(), KEY, SERVER)
        stage.attempt("ok") { device.linkDevice("no code") }
        stage.attempt("ok") { device.linkDevice(linking.code.dropLast(1)) }
        stage.attempt("ok") { linking.confirm() }
        stage.attempt("ok") {
            device.linkDevice(linking.code).cancel()
            device.linkDevice(linking.code)
        }
        val second = Linking.begin(Store.memory(), KEY, SERVER)
        Outside.advance(660 * SECOND)
        stage.attempt("ok") { device.linkDevice(second.code) }
        say("expired ${yes(second.expired())}")
    }

    private fun answerTwice(step: Step) {
        val host = host(step)
        host.device.requestMail(1u)
        val request = host.device.nextRequest()!!
        say(line(request))
        val answer = host.perform(request)
        repeat(2) { say("  ${line(answer.status.toInt(), host.device.respond(request.id, answer.status, answer.body))}") }
    }

    private fun foreign(step: Step) {
        val of = stage.host(step.text("of")).device
        of.requestMail(1u)
        val id: RequestId = of.nextRequest()!!.id
        stage.attempt("ok") { device(step).respond(id, 200u) }
        of.release(id)
    }

    private fun reopen(step: Step) {
        val host = host(step)
        host.device.wipe()
        host.device.close()
        host.device = Device.open(host.store, KEY)
        say("device ${host.device.id}")
    }

    private fun encrypt(
        step: Step,
        to: List<String>,
        payload: ByteString,
    ) {
        val content = step.text("content").encodeToByteString()
        val id = if (content.size == 0) null else ContentId(content)
        stage.show(host(step), device(step).batchEncrypt(to, payload, id))
    }

    private fun steal(step: Step) {
        val host = host(step)
        val found = host.relay.mailbox(host.user, host.id)
        host.relay.lose(host.user, host.id)
        stage.mails[step.text("as")] = found
        say("stolen ${found.size}")
    }

    private fun spoilt(step: Step): ByteString {
        val envelope =
            stage.mails
                .getValue(step.text("mails"))
                .first()
                .toByteArray()
        val (at, cut) = step.int("at") to step.int("cut")
        if (at >= 0) envelope[at] = (envelope[at].toInt() xor 1).toByte()
        return ByteString(if (cut > 0) envelope.copyOf(cut) else envelope)
    }

    private fun acceptIdentity(step: Step) {
        val user = registry(step).users().find { it.user == user(step) }
        val key = user?.let { if (step.flag("claimed")) it.claimedKey else it.accountKey }
        registry(step).acceptIdentity(user(step), key ?: AccountKey(ByteString(ByteArray(32))))
    }

    private fun compare(step: Step) {
        val shown = if (step.text("with").isEmpty()) null else stage.host(step.text("with")).device
        val code = shown?.registry()?.safetyCode(host(step).user) ?: "no code"
        say("code ${stage.hash(code)}")
        say("same ${yes(registry(step).compareSafetyCode(user(step), code))}")
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

    private var handover = HandoverId(ByteString(ByteArray(16)))

    private fun handOver(step: Step) {
        val view = device(step).handOver(number(step))
        say("handover ${s(view.id)} digits ${view.digits}")
        handover = view.id
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
        val view = stage.relay(step).view()
        view.seen.forEach { say(line(it)) }
        for (each in view.waiting.filter { it.count > 0u }) {
            say("waiting ${each.address.user}/${each.address.device} ${each.count}")
        }
    }

    private fun deliver(step: Step) {
        val found = stage.mails.getValue(step.text("mails"))
        stage.deliver(host(step), if (step.text("order") == "reversed") found.reversed() else found)
    }

    private fun act(step: Step) {
        if (actOnSends(step) || actOnMail(step) || actOnTheLoop(step) || actOnGroups(step) || actOnUsers(step)) return
        when (step.text("do")) {
            "create" -> create(step)
            "link" -> link(step)
            "link_wrong" -> linkWrong(step)
            "restored" -> stage.relay(step).restored()
            "advance" -> Outside.advance(step.int("days") * DAY + step.int("seconds") * SECOND)
            "seen" -> seen(step)
            "reopen" -> reopen(step)
            "close" -> device(step).wipe()
            "primary" -> say("primary ${yes(device(step).isPrimary)}")
            "adopt_own_list" -> device(step).adoptOwnList(ListHash(ByteString(ByteArray(32))))
            "hand_over" -> handOver(step)
            "confirm_handover" -> device(step).confirmHandover(handover)
            "cancel_handover" -> device(step).cancelHandover(handover)
            "remove_device" -> device(step).removeDevice(number(step))
            "keep_sent" -> device(step).keepSent(number(step))
            "set_push" -> device(step).setPush(text(step))
            "log_out" -> stage.show(host(step), device(step).logOut())
            "erase" -> host(step).store.erase()
            "delete_account" -> device(step).deleteAccount()
            "fail" -> host(step).own!!.faults[step.text("method")] = fault(step.int("with"))
            "open_wrong_key" -> Device.open(host(step).store, StoreKey(ByteArray(32) { 0x5b }))
            "create_over" -> Device.create(host(step).store, KEY, host(step).user, SERVER)
            "open_empty" -> Device.open(Store.memory(), KEY)
            "spoil" -> spoil(step)
            else -> error("no such step: ${step.text("do")}")
        }
    }

    private fun actOnSends(step: Step): Boolean {
        when (step.text("do")) {
            "encrypt" -> encrypt(step, step.texts("to"), text(step))
            "encrypt_long" -> encrypt(step, step.texts("to"), "x".repeat(step.int("number")).encodeToByteString())
            "encrypt_crowd" -> encrypt(step, List(step.int("number")) { "u$it" }, text(step))
            "send" -> {
                encrypt(step, step.texts("to"), text(step))
                exchange(step)
                stage.standing(host(step))
            }
            "batches" -> sayAll(device(step).batches(host(step).last).map(::line))
            "status" -> sayAll(device(step).sends().flatMap(::lines))
            "cancel" -> {
                device(step).cancel(host(step).last, step.texts("users").ifEmpty { null })
                stage.standing(host(step))
            }
            "retry" -> {
                device(step).retry(host(step).last)
                stage.standing(host(step))
            }
            else -> return false
        }
        return true
    }

    private fun actOnMail(step: Step): Boolean {
        when (step.text("do")) {
            "read" -> stage.read(host(step), true)
            "peek" -> stage.read(host(step), false)
            "inbox" -> stage.inbox(host(step), false)
            "steal" -> steal(step)
            "deliver" -> deliver(step)
            "deliver_spoilt" -> stage.deliver(host(step), listOf(spoilt(step)))
            "decrypt_many" -> say("${device(step).batchDecrypt(List(step.int("number")) { ByteString() }).size} results")
            else -> return false
        }
        return true
    }

    private fun actOnTheLoop(step: Step): Boolean {
        when (step.text("do")) {
            "exchange" -> exchange(step)
            "request_mail" -> device(step).requestMail(number(step))
            "answer_twice" -> answerTwice(step)
            "foreign" -> foreign(step)
            "trouble" -> host(step).trouble = Trouble(step.int("status"), step.text("body").encodeToByteString())
            "replay" -> host(step).replay = if (step.text("kind").isEmpty()) null else Replay(step.text("kind"))
            "retry_now" -> device(step).retryNow()
            "move" -> host(step).relay = stage.relay(step)
            "health" -> say(line(device(step).health()))
            else -> return false
        }
        return true
    }

    private fun actOnGroups(step: Step): Boolean {
        when (step.text("do")) {
            "group" -> {
                val name = GroupChange(name = step.text("name"))
                stage.begin(step, device(step).createGroup(GroupKind.PAIRWISE, name, step.texts("users")))
            }
            "fork" -> stage.begin(step, group(step).forkWithout(step.texts("users")))
            "add" -> stage.begin(host(step), group(step).add(step.texts("users")))
            "rename" -> stage.begin(host(step), group(step).rename(step.text("name")))
            "leave" -> stage.begin(host(step), group(step).leave())
            "accept" -> stage.begin(host(step), group(step).accept())
            "decline" -> stage.begin(host(step), group(step).decline())
            "say" -> stage.begin(host(step), group(step).send(text(step)))
            "forget_group" -> group(step).forget()
            "view" -> say(line(group(step).view()))
            "groups" -> sayAll(device(step).groups().map { line(it) })
            "history" -> history(step)
            "cost" -> cost(step)
            "group_session" -> say(line(group(step).session(user(step), number(step))))
            else -> return false
        }
        return true
    }

    private fun actOnUsers(step: Step): Boolean {
        when (step.text("do")) {
            "session" -> say(line(device(step).session(user(step), number(step)).info()))
            "session_send" -> stage.begin(host(step), device(step).session(user(step), number(step)).encrypt(text(step)))
            "session_reset" -> {
                device(step).session(user(step), number(step)).reset()
                exchange(step)
            }
            "look_up" -> {
                registry(step).lookUp(step.texts("users"))
                exchange(step)
            }
            "users" -> registry(step).users().forEach { say(line(it)) }
            "devices" -> registry(step).devices(user(step)).forEach { say(line(it)) }
            "safety" -> say("safety ${registry(step).safetyNumber(user(step))}")
            "compare" -> compare(step)
            "verify" -> registry(step).markVerified(user(step))
            "resolve_fork" -> registry(step).resolveFork(user(step), ListHash(ByteString(ByteArray(32))))
            "forget" -> registry(step).forget(user(step))
            "accept_identity" -> acceptIdentity(step)
            else -> return false
        }
        return true
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
        val told = Scene(Stage(number, File(folder), out), out)
        scene.getValue("steps").jsonArray.forEach { told.play(Step(it.jsonObject)) }
    }
    System.out.write((out.joinToString("\n") + "\n").encodeToByteArray())
    System.out.flush()
}
