import Foundation
import Sesame

/// FNV-1a of 64 bits.
func h(_ bytes: Data) -> String {
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return String(format: "%016lx", hash)
}

/// The last four bytes of an id.
func s(_ id: Data) -> String {
    id.suffix(4).map { String(format: "%02x", $0) }.joined()
}

func s(_ id: some SesameId) -> String {
    s(id.data)
}

/// What is there, with a space before each.
func words(_ parts: String?...) -> String {
    words(parts)
}

func words(_ parts: [String?]) -> String {
    parts.compactMap { $0 }.filter { !$0.isEmpty }.map { " " + $0 }.joined()
}

func named<Part>(_ word: String, _ parts: [Part]) -> String? {
    parts.isEmpty ? nil : "\(word) \(parts.map { "\($0)" }.joined(separator: ","))"
}

func yes(_ flag: Bool) -> String {
    flag ? "yes" : "no"
}

private func inGroup(_ id: GroupId) -> String {
    "group \(s(id))"
}

func line(_ event: Event) -> String {
    "event " + said(event)
}

private func line(_ message: Message) -> String {
    let ids = "content \(s(message.contentId)) session \(s(message.sessionId))"
    let marks = words(
        message.group.map(inGroup),
        message.recipients.flatMap { named("to", $0) },
        message.fromRemovedDevice ? "removed-device" : nil,
        message.noOneTimeKey ? "no-one-time-key" : nil,
        message.olderSession ? "older-session" : nil,
        message.fromFormerMember ? "former-member" : nil
    )
    let text = String(decoding: message.payload, as: UTF8.self)
    return "message \(message.user)/\(message.device) number \(message.sequence) at \(message.sentAt) \(ids)\(marks) \"\(text)\""
}

func line(_ item: InboxItem) -> String {
    switch item {
    case let .message(id, content): return "\(id): \(line(content))"
    case let .event(id, content): return "\(id): \(line(content))"
    }
}

/// The result for an envelope.
func line(_ envelope: Int, _ result: MailResult) -> String {
    let from = result.sender.map { "from \($0.user)/\($0.device) \($0.authenticated ? "authenticated" : "claimed")" }
    return "\(envelope): \(result.outcome)" + words(named("items", result.items), result.keep ? "keep" : nil, coded("code", result.code), from)
}

private func coded(_ word: String, _ code: Code?) -> String? {
    code.map { "\(word) \($0.rawValue)" }
}

func line(_ request: ServerRequest) -> String {
    "request \(request.kind) \(request.body.count) \(h(request.body))" + words(named("users", request.users))
}

/// What came of an answer.
func line(_ status: UInt16, _ answered: Answered) -> String {
    let sends = named("sends", answered.sends.map { s($0) })
    let marks = [answered.known ? nil : "unknown", coded("problem", answered.problem), named("items", answered.items), sends]
    return "  \(status)" + words(marks)
}

func line(_ send: PendingSend) -> String {
    "send \(s(send.id)) content \(s(send.contentId))"
}

private func skips(_ skips: [Skipped]) -> String? {
    named("skip", skips.map { "\($0.device):\($0.code.rawValue)" })
}

private func line(_ user: UserStatus) -> String {
    let waiting = user.waitingFor == .nothing ? nil : "for \(user.waitingFor)"
    let marks = words(waiting, "reached \(user.reached)", skips(user.skipped), coded("code", user.code))
    return "  \(user.user) \(user.outcome)" + marks
}

/// How a send stands.
func lines(_ status: SendStatus) -> [String] {
    let marks = words(status.group.map(inGroup), status.finished ? "finished" : "open", "\(status.payload.count) bytes")
    return ["send \(s(status.id)) content \(s(status.contentId))" + marks] + status.users.map { line($0) }
}

func line(_ batch: Batch) -> String {
    let envelopes = batch.envelopes.map { "\($0.device):\($0.envelope.count):\(h($0.envelope))" }
    return "batch \(batch.user)" + words([batch.targeted ? "targeted" : nil] + envelopes + [skips(batch.skips)])
}

/// How a device stands with its server.
func line(_ health: Health) -> String {
    let counts = "open \(health.openSends) inbox \(health.inbox) left \(health.mailLeft) offset \(health.clockOffset)"
    let due = Int((health.dueIn * 1000).rounded())
    return "registered \(yes(health.registered))" + words(coded("problem", health.problem), "due \(due)", counts)
}

func line(_ view: GroupView) -> String {
    let diverged = view.diverged.map { "\($0.user)/\($0.device)" }
    let marks = words("standing \(view.standing)", named("members", view.members), "name \"\(view.info.name)\"", named("diverged", diverged))
    return inGroup(view.id) + marks
}

func line(_ act: Act) -> String {
    switch act {
    case .accepted: return "accepted"
    case let .added(users): return "added " + users.joined(separator: ",")
    case .created: return "created"
    case .declined: return "declined"
    case .left: return "left"
    case let .retired(device): return "retired \(device)"
    case .updated: return "updated"
    }
}

func line(_ view: SessionView?) -> String {
    guard let view else { return "no session" }
    let counts = "sent \(view.sent) received \(view.received) inactive \(view.inactive)"
    return "session \(s(view.id)) generation \(view.generation) initiating \(yes(view.initiating)) \(counts)"
}

func line(_ view: UserView) -> String {
    "user \(view.user) key \(s(view.accountKey))"
        + words(
            view.claimedKey.map { "claimed \(s($0))" },
            view.verified ? "verified" : nil,
            "epoch \(view.epoch)",
            view.forked ? "forked" : nil,
            view.paused ? "paused" : nil
        )
}

func line(_ view: DeviceView) -> String {
    let state: String
    switch view.state {
    case .active: state = "active"
    case .noSession: state = "no-session"
    case .own: state = "own"
    case .stale: state = "stale"
    }
    let keys = "signing \(s(view.signingKey)) identity \(s(view.identityKey))"
    return "device \(view.device) \(keys) \(state)" + words(view.sessionId.map { "session \(s($0))" })
}

func line(_ seen: SeenByRelay) -> String {
    switch seen {
    case let .bundleFetched(user, device):
        return "bundle \(user)/\(device)"
    case let .published(user, device, size):
        return "published \(user)/\(device) \(size)"
    case let .submitted(sender, recipient, envelopes, skipped, accepted):
        let sizes = envelopes.map { "\($0.device):\($0.size)" + ($0.initiation ? ":initiation" : "") }
        let marks = words(sizes + [named("skipped", skipped), accepted ? "accepted" : "refused"])
        return "\(sender.user)/\(sender.device) -> \(recipient)" + marks
    }
}
