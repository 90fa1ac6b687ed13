package story

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.decodeToString
import sesame.Act
import sesame.DeviceState
import sesame.DeviceView
import sesame.Event
import sesame.GroupId
import sesame.GroupView
import sesame.Id
import sesame.Message
import sesame.Need
import sesame.PendingSend
import sesame.Received
import sesame.SeenByRelay
import sesame.SessionView
import sesame.UserView

/** FNV-1a of 64 bits. */
fun h(bytes: ByteString): String {
    var hash = 0xcbf29ce484222325uL
    for (at in 0 until bytes.size) hash = (hash xor (bytes[at].toULong() and 0xffuL)) * 0x100000001b3uL
    return hash.toString(16).padStart(16, '0')
}

/** The first four bytes of an id. */
@OptIn(ExperimentalStdlibApi::class)
fun s(id: ByteString): String = id.substring(0, 4).toByteArray().toHexString()

fun s(id: Id): String = s(id.bytes)

/** What is there, with a space before each. */
fun words(vararg parts: String?): String = parts.filterNot { it.isNullOrEmpty() }.joinToString("") { " $it" }

fun named(
    word: String,
    parts: Collection<Any>,
): String? = if (parts.isEmpty()) null else "$word ${parts.joinToString(",")}"

fun yes(flag: Boolean) = if (flag) "yes" else "no"

private fun group(id: GroupId) = "group ${s(id)}"

fun line(event: Event): String = "event ${said(event)}"

private fun line(message: Message): String {
    val ids = "content ${s(message.contentId)} session ${s(message.sessionId)}"
    return "message ${message.user}/${message.device} number ${message.sequence} at ${message.sentAt} $ids" +
        words(
            message.group?.let { group(it) },
            message.recipients?.let { named("to", it) },
            "removed-device".takeIf { message.fromRemovedDevice },
            "no-one-time-key".takeIf { message.noOneTimeKey },
            "older-session".takeIf { message.olderSession },
            "former-member".takeIf { message.fromFormerMember },
        ) + " \"${message.payload.decodeToString()}\""
}

private fun failure(of: Received.Failure): String {
    val from = of.sender?.let { "${it.user}/${it.device} ${if (it.authenticated) "authenticated" else "claimed"}" } ?: "nobody"
    return "failure ${of.code.value} ${if (of.confirm) "confirm" else "keep"} from $from"
}

fun line(received: Received): String =
    when (received) {
        is Received.Message -> "${received.envelope}: ${line(received.content)}"
        is Received.Event -> "${received.envelope}: ${line(received.content)}"
        is Received.Duplicate -> "${received.envelope}: duplicate"
        is Received.Failure -> "${received.envelope}: ${failure(received)}"
        is Received.Held -> "${received.envelope}: held"
    }

fun line(need: Need): String =
    when (need) {
        is Need.DeviceList -> "need device-list ${need.user}"
        is Need.Bundle -> "need bundle ${need.user}/${need.device}"
        is Need.IdentityAcceptance -> "need identity-acceptance ${need.user}"
        is Need.Publication -> "need publication"
    }

fun lines(send: PendingSend): List<String> =
    buildList {
        add("send ${s(send.id)} content ${s(send.contentId)}")
        for (batch in send.batches) {
            val envelopes = batch.envelopes.map { "${it.device}:${it.envelope.size}:${h(it.envelope)}" }
            val skips = batch.skips.joinToString("") { " ${it.device}:${it.code}" }
            val targeted = "targeted".takeIf { batch.targeted }
            val skipped = if (skips.isEmpty()) null else "skip$skips"
            add("  batch ${batch.user}" + words(targeted, *envelopes.toTypedArray(), skipped))
        }
        send.needs.forEach { add("  ${line(it)}") }
        send.failed.forEach { add("  failed ${it.user} ${it.code}") }
        send.events.forEach { add("  ${line(it)}") }
    }

fun line(view: GroupView): String {
    val diverged = view.diverged.map { "${it.user}/${it.device}" }
    val standing = "standing ${view.standing.name.lowercase()}"
    val name = "name \"${view.info.name}\""
    return group(view.id) + words(standing, named("members", view.members), name, named("diverged", diverged))
}

fun line(act: Act): String =
    when (act) {
        is Act.Accepted -> "accepted"
        is Act.Added -> "added ${act.users.joinToString(",")}"
        is Act.Created -> "created"
        is Act.Declined -> "declined"
        is Act.Left -> "left"
        is Act.Retired -> "retired ${act.retired}"
        is Act.Updated -> "updated"
    }

fun line(view: SessionView?): String {
    if (view == null) return "no session"
    val counts = "sent ${view.sent} received ${view.received} inactive ${view.inactive}"
    return "session ${s(view.id)} generation ${view.generation} initiating ${yes(view.initiating)} $counts"
}

fun line(view: UserView): String =
    "user ${view.user} key ${s(view.accountKey)}" +
        words(
            view.claimedKey?.let { "claimed ${s(it)}" },
            "verified".takeIf { view.verified },
            "epoch ${view.epoch}",
            "forked".takeIf { view.forked },
            "paused".takeIf { view.paused },
        )

fun line(view: DeviceView): String {
    val state =
        when (view.state) {
            DeviceState.ACTIVE -> "active"
            DeviceState.NO_SESSION -> "no-session"
            DeviceState.STALE -> "stale"
        }
    val keys = "signing ${s(view.signingKey)} identity ${s(view.identityKey)}"
    return "device ${view.device} $keys $state" + words(view.sessionId?.let { "session ${s(it)}" })
}

fun line(seen: SeenByRelay): String =
    when (seen) {
        is SeenByRelay.BundleFetched -> "bundle ${seen.user}/${seen.device}"
        is SeenByRelay.Published -> "published ${seen.user}/${seen.device} ${seen.size}"
        is SeenByRelay.Submitted -> {
            val envelopes = seen.envelopes.map { "${it.device}:${it.size}${if (it.initiation) ":initiation" else ""}" }
            val outcome = if (seen.accepted) "accepted" else "refused"
            "${seen.sender.user}/${seen.sender.device} -> ${seen.recipient}" +
                words(*envelopes.toTypedArray(), named("skipped", seen.skipped), outcome)
        }
    }
