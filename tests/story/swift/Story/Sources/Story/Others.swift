import Foundation
import Sesame

extension Scene {
    func actOnMail(_ step: Step) throws -> Bool {
        switch step.text("do") {
        case "read", "peek":
            try device(step).requestMail(limit: 1000)
            try exchange(host(step))
            let ids = try sayInbox(device(step))
            if step.text("do") == "read" { try device(step).ack(ids: ids) }
        case "inbox": _ = try sayInbox(device(step))
        case "steal":
            let host = host(step)
            let envelopes = try host.path.relay.mailbox(user: host.user, device: host.id)
            try host.path.relay.lose(user: host.user, device: host.id)
            say("stolen \(envelopes.count)")
            mails[step.text("as")] = envelopes
        case "deliver":
            let envelopes = mails[step.text("mails")]!
            try deliver(device(step), step.text("order") == "reversed" ? envelopes.reversed() : envelopes)
        case "deliver_spoilt":
            var envelope = mails[step.text("mails")]![0]
            if step.has("at"), step.number("at") >= 0 { envelope[step.number("at")] ^= 1 }
            try deliver(device(step), [step.number("cut") > 0 ? envelope.prefix(step.number("cut")) : envelope])
        case "decrypt_many":
            let envelopes = Array(repeating: Data(), count: step.number("number"))
            say("\(try device(step).batchDecrypt(envelopes: envelopes).count) results")
        default: return false
        }
        return true
    }

    private func deliver(_ device: Device, _ envelopes: [Data]) throws {
        for (number, result) in try device.batchDecrypt(envelopes: envelopes).enumerated() { say(line(number, result)) }
        try device.ack(ids: try sayInbox(device))
    }

    private func sayInbox(_ device: Device) throws -> [UInt64] {
        let items = try device.inbox(limit: 1000)
        sayAll(items.map(line))
        return items.map(\.id)
    }

    func actOnGroups(_ step: Step) throws -> Bool {
        let users = step.texts("users")
        switch step.text("do") {
        case "group":
            let info = GroupChange(name: step.text("name"))
            try make(step, try device(step).createGroup(kind: .pairwise, info: info, users: users))
        case "groups": sayAll(try device(step).groups().map(line))
        case "fork": try make(step, try group(step).forkWithout(users: users))
        case "add": try sends(host(step), try group(step).add(users: users))
        case "rename": try sends(host(step), try group(step).rename(name: step.text("name")))
        case "leave": try sends(host(step), try group(step).leave())
        case "accept": try sends(host(step), try group(step).accept())
        case "decline": try sends(host(step), try group(step).decline())
        case "say": try sends(host(step), try group(step).send(payload: Data(step.text("text").utf8)))
        case "forget_group": try group(step).forget()
        case "view": say(line(try group(step).view()))
        case "history":
            for entry in try group(step).history() {
                say("\(s(entry.id)) \(entry.user)/\(entry.device) \(line(entry.act)) \(entry.counts ? "counts" : "void")")
            }
        case "cost":
            let cost = try group(step).cost(length: UInt64(step.number("number")))
            say("\(cost.envelopes) envelopes \(cost.bytes) bytes" + words(named("unknown", cost.unknown)))
        case "group_session":
            say(line(try group(step).session(user: step.text("user"), device: UInt32(step.number("number")))))
        default: return false
        }
        return true
    }

    private func make(_ step: Step, _ made: NewGroup) throws {
        let (group, send) = made.parts
        groups[step.text("as")] = group.id
        say("group \(s(group.id))")
        try sends(host(step), send)
    }

    func actOnTheRegistry(_ step: Step) throws -> Bool {
        let (registry, user) = (device(step).registry(), step.text("user"))
        switch step.text("do") {
        case "users": try registry.users().forEach { say(line($0)) }
        case "look_up":
            try registry.lookUp(users: step.texts("users"))
            try exchange(host(step))
        case "devices": try registry.devices(user: user).forEach { say(line($0)) }
        case "session": say(line(try device(step).session(user: user, device: UInt32(step.number("number"))).info()))
        case "safety": say("safety \(try registry.safetyNumber(user: user))")
        case "compare":
            let with = hosts[step.text("with")]?.device
            let code = try with.map { try $0.registry().safetyCode(user: host(step).user) } ?? "no code"
            say("code \(h(Data(code.utf8)))")
            say("same \(yes(try registry.compareSafetyCode(user: user, code: code)))")
        case "verify": try registry.markVerified(user: user)
        case "resolve_fork": try registry.resolveFork(user: user, hash: ListHash(Data(count: 32)))
        case "forget": try registry.forget(user: user)
        case "accept_identity":
            let view = try registry.users().first { $0.user == user }
            let key = view.flatMap { step.has("claimed") && step.number("claimed") != 0 ? $0.claimedKey : $0.accountKey }
            try registry.acceptIdentity(user: user, accountKey: key ?? AccountKey(Data(count: 32)))
        default: return false
        }
        return true
    }
}
