package story

import kotlinx.io.bytestring.ByteString
import kotlinx.io.bytestring.decodeToString
import sesame.Act
import sesame.Answered
import sesame.Batch
import sesame.Code
import sesame.DeviceState
import sesame.DeviceView
import sesame.Event
import sesame.GroupId
import sesame.GroupView
import sesame.Health
import sesame.Id
import sesame.InboxItem
import sesame.MailResult
import sesame.Message
import sesame.PendingSend
import sesame.SeenByRelay
import sesame.SendStatus
import sesame.ServerRequest
import sesame.SessionView
import sesame.Skipped
import sesame.UserStatus
import sesame.UserView
import sesame.WaitingFor

/** FNV-1a of 64 bits. */
fun h(bytes: ByteString): String {
    var hash = 0xcbf29ce484222325uL
    for (at in 0 until bytes.size) hash = (hash xor (bytes[at].toULong() and 0xffuL)) * 0x100000001b3uL
    return hash.toString(16).padStart(16, '0')
}

/** The last four bytes of an id. */
@OptIn(ExperimentalStdlibApi::class)
fun s(id: ByteString): String = id.substring(id.size - 4).toByteArray().toHexString()

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

fun line(item: InboxItem): String =
    when (item) {
        is InboxItem.Message -> "${item.id}: ${line(item.content)}"
        is InboxItem.Event -> "${item.id}: ${line(item.content)}"
    }

private fun coded(
    word: String,
    code: Code?,
) = code?.let { "$word ${it.value}" }

/** What became of the envelope at a place. */
fun line(
    at: Int,
    result: MailResult,
): String {
    val sender = result.sender?.let { "from ${it.user}/${it.device} ${if (it.authenticated) "authenticated" else "claimed"}" }
    val keep = "keep".takeIf { result.keep }
    return "$at: ${result.outcome.name.lowercase()}" + words(named("items", result.items), keep, coded("code", result.code), sender)
}

fun line(send: PendingSend): String = "send ${s(send.id)} content ${s(send.contentId)}"

private fun skips(skips: List<Skipped>) = skips.map { "${it.device}:${it.code.value}" }

private fun line(user: UserStatus): String {
    val awaited = if (user.waitingFor == WaitingFor.NOTHING) null else "for ${user.waitingFor.name.lowercase()}"
    val outcome = words(user.outcome.name.lowercase(), awaited, "reached ${user.reached}")
    return user.user + outcome + words(named("skip", skips(user.skipped)), coded("code", user.code))
}

/** How a send stands. */
fun lines(status: SendStatus?): List<String> {
    if (status == null) return listOf("gone")
    val group = status.group?.let { group(it) }
    val open = if (status.finished) "finished" else "open"
    val head = "send ${s(status.id)} content ${s(status.contentId)}" + words(group, open, "${status.payload.size} bytes")
    return listOf(head) + status.users.map { "  ${line(it)}" }
}

fun line(batch: Batch): String {
    val envelopes = batch.envelopes.map { "${it.device}:${it.envelope.size}:${h(it.envelope)}" }
    val skips = skips(batch.skips)
    val skipped = if (skips.isEmpty()) null else "skip ${skips.joinToString(" ")}"
    return "batch ${batch.user}" + words("targeted".takeIf { batch.targeted }, *envelopes.toTypedArray(), skipped)
}

fun line(request: ServerRequest): String =
    "request ${request.kind.name.lowercase()} ${request.body.size} ${h(request.body)}" + words(named("users", request.users))

/** What came of an answer. */
fun line(
    status: Int,
    answered: Answered,
): String {
    val unknown = "unknown".takeIf { !answered.known }
    val items = named("items", answered.items)
    return "$status" + words(unknown, coded("problem", answered.problem), items, named("sends", answered.sends.map { s(it) }))
}

fun line(health: Health): String {
    val counts = "open ${health.openSends} inbox ${health.inbox} left ${health.mailLeft}"
    return "registered ${yes(health.registered)}" +
        words(coded("problem", health.problem), "due ${health.dueIn.toMillis()}", counts, "offset ${health.clockOffset}")
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
            DeviceState.OWN -> "own"
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
