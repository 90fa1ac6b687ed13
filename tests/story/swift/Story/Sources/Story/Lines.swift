import Foundation
import Sesame

/// FNV-1a of 64 bits.
func h(_ bytes: Data) -> String {
    let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    return String(format: "%016lx", hash)
}

/// The first four bytes of an id.
func s(_ id: Data) -> String {
    id.prefix(4).map { String(format: "%02x", $0) }.joined()
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

private func line(_ sender: Sender?) -> String {
    sender.map { "\($0.user)/\($0.device) \($0.authenticated ? "authenticated" : "claimed")" } ?? "nobody"
}

func line(_ received: Received) -> String {
    switch received {
    case let .message(envelope, _, content):
        return "\(envelope): \(line(content))"
    case let .event(envelope, _, content):
        return "\(envelope): \(line(content))"
    case let .duplicate(envelope):
        return "\(envelope): duplicate"
    case let .failure(envelope, sender, code, _, confirm):
        return "\(envelope): failure \(code.rawValue) \(confirm ? "confirm" : "keep") from \(line(sender))"
    case let .held(envelope):
        return "\(envelope): held"
    }
}

func line(_ need: Need) -> String {
    switch need {
    case let .deviceList(user): return "need device-list \(user)"
    case let .bundle(user, device): return "need bundle \(user)/\(device)"
    case let .identityAcceptance(user): return "need identity-acceptance \(user)"
    case .publication: return "need publication"
    }
}

func lines(_ send: PendingSend) -> [String] {
    let batches = send.batches.map { batch in
        let envelopes = batch.envelopes.map { "\($0.device):\($0.envelope.count):\(h($0.envelope))" }
        let skips = batch.skips.map { "\($0.device):\($0.code)" }
        let marks = [batch.targeted ? "targeted" : nil] + envelopes + [skips.isEmpty ? nil : "skip " + skips.joined(separator: " ")]
        return "  batch \(batch.user)" + words(marks)
    }
    return ["send \(s(send.id)) content \(s(send.contentId))"] + batches + send.needs.map { "  " + line($0) }
        + send.failed.map { "  failed \($0.user) \($0.code)" } + send.events.map { "  " + line($0) }
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
