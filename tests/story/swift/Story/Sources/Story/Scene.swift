import Foundation
import Outside
import Sesame

private let key = Data(repeating: 0x5a, count: 32)
private let day: UInt64 = 24 * 60 * 60 * 1000
private let many: UInt32 = 1000

/// One step of a scene. What a step does not say, its kind does not ask for.
struct Step: Decodable {
    let `do`: String
    let device, user, store, relay, primary, text, mails, order, group, name, method, `as`: String?
    let to, users: [String]?
    let number, days, at, cut, with: Int?
    let claimed: Bool?
}

/// A device, and what an app keeps around it.
final class Host {
    let relay: LocalRelay
    let store: Store
    let own: FailingStore?
    var device: Device
    let user: String
    let id: UInt32

    init(relay: LocalRelay, store: Store, own: FailingStore?, device: Device) throws {
        (self.relay, self.store, self.own, self.device) = (relay, store, own, device)
        (user, id) = (device.user, device.id)
    }
}

private func fault(_ number: Int) -> StoreFault? {
    switch number {
    case 1: return .conflict
    case 401: return .busy
    case 402: return .io
    case 403: return .full
    case 404: return .readOnly
    case 411: return .outcomeUnknown
    default: return nil
    }
}

/// What a scene has made so far.
final class Scene {
    private let number: Int
    private let folder: URL
    private(set) var out: [String]
    private var hosts: [String: Host] = [:]
    private var relays: [String: LocalRelay] = [:]
    private var groups: [String: GroupId] = [:]
    private var mails: [String: [Data]] = [:]

    init(name: String, number: Int, folder: URL) {
        (self.number, self.folder) = (number, folder)
        out = ["# scene \(name)"]
    }

    func play(_ step: Step) throws {
        out.append("> \(step.do)" + words(step.device))
        try attempt { try act(step) }
    }

    private func attempt(_ call: () throws -> Void) throws {
        do {
            try call()
        } catch let error as SesameError {
            say("! \(error.code.rawValue)")
        }
    }

    private func say(_ line: String) {
        out.append("  " + line)
    }

    private func sayAll(_ lines: [String]) {
        (lines.isEmpty ? ["nothing"] : lines).forEach(say)
    }

    private func say(_ applied: Applied) {
        applied.events.forEach { say(line($0)) }
        applied.refusals.forEach { say("refused \($0.field) \($0.item) \($0.code.rawValue)") }
    }

    // What several steps do.

    private func host(_ step: Step) -> Host {
        hosts[step.device!]!
    }

    private func device(_ step: Step) -> Device {
        host(step).device
    }

    private func group(_ step: Step) throws -> Group {
        try device(step).group(id: groups[step.group!]!)
    }

    private func relay(_ step: Step) -> LocalRelay {
        let name = step.relay ?? ""
        let relay = relays[name] ?? LocalRelay()
        relays[name] = relay
        return relay
    }

    private func store(_ step: Step) throws -> (Store, FailingStore?) {
        switch step.store {
        case "sqlite":
            return (try Store.sqlite(path: folder.appendingPathComponent("\(number)-\(step.device!).db").path), nil)
        case "app":
            let own = FailingStore()
            return (Store.app(store: own), own)
        default:
            return (Store.memory(), nil)
        }
    }

    private func join(_ step: Step, _ host: Host) -> Host {
        hosts[step.device!] = host
        say("device \(host.id)")
        return host
    }

    private func publish(_ host: Host) throws {
        while let upload = try host.device.publication() {
            let left = try host.relay.publish(user: host.user, device: host.id, publication: upload.bytes)
            say("publishes \(upload.bytes.count) \(h(upload.bytes)) left \(left)")
            try host.device.published(id: upload.id)
        }
    }

    private func settle(_ host: Host) throws {
        for _ in 1...8 {
            var progress = false
            for send in try host.device.outbox() {
                lines(send).forEach(say)
                progress = try round(host, send) || progress
            }
            if !progress { break }
        }
        let left = try host.device.outbox().count
        say(left == 0 ? "settled" : "unsettled \(left)")
    }

    /// One send's batches and needs; whether anything happened.
    private func round(_ host: Host, _ send: PendingSend) throws -> Bool {
        var progress = !send.batches.isEmpty
        for batch in send.batches {
            switch try host.relay.submit(user: host.user, device: host.id, batch: batch) {
            case .accepted:
                say("\(batch.user) accepted")
                try host.device.accepted(send: send.id, user: batch.user)
            case let .stale(deviceList, missing, gone):
                say("\(batch.user) stale" + words(named("missing", missing), named("gone", gone)))
                _ = try host.device.rejected(send: send.id, user: batch.user, deviceList: deviceList)
            case .noSuchUser:
                say("\(batch.user) unknown")
                _ = try host.device.noSuchUser(send: send.id, user: batch.user)
            }
        }
        if send.needs.contains(.publication) {
            try publish(host)
            progress = true
        }
        let answers = try host.relay.answer(needs: send.needs)
        if answers != Answers(deviceLists: [], bundles: [], withoutBundle: [], unknownUsers: []) {
            say(try host.device.registry().apply(answers: answers))
            progress = true
        }
        return progress
    }

    private func begin(_ step: Step, _ send: PendingSend) throws {
        lines(send).forEach(say)
        try settle(host(step))
    }

    private func begin(_ step: Step, _ made: NewGroup) throws {
        let id = made.group().id
        groups[step.as!] = id
        say("group \(s(id))")
        try begin(step, made.send())
    }

    private func take(_ host: Host, _ results: [Received]) throws {
        sayAll(results.map(line))
        try host.device.ack(
            ids: results.compactMap {
                switch $0 {
                case let .message(_, id, _), let .event(_, id, _): return id
                default: return nil
                }
            })
    }

    private func fetch(_ host: Host) throws -> [Mail] {
        try host.relay.fetch(user: host.user, device: host.id, limit: many)
    }

    private func read(_ host: Host) throws {
        let mails = try fetch(host)
        let results = mails.isEmpty ? [] : try host.device.batchDecrypt(envelopes: mails.map(\.envelope))
        let kept = results.compactMap { result -> Int? in
            if case let .failure(envelope, _, _, _, false) = result { return Int(envelope) }
            return nil
        }
        let done = mails.enumerated().filter { !kept.contains($0.offset) }.map(\.element.id)
        try host.relay.confirm(user: host.user, device: host.id, ids: done)
        try take(host, results)
    }

    private func steal(_ step: Step) throws {
        let host = host(step)
        let found = try fetch(host)
        try host.relay.confirm(user: host.user, device: host.id, ids: found.map(\.id))
        mails[step.as!] = found.map(\.envelope)
        say("stolen \(found.count)")
    }

    private func spoilt(_ step: Step) -> Data {
        var envelope = mails[step.mails!]![0]
        if step.at! >= 0 { envelope[step.at!] ^= 1 }
        return step.cut! > 0 ? envelope.prefix(step.cut!) : envelope
    }

    private func link(_ step: Step) throws {
        let primary = hosts[step.primary!]!
        let (store, own) = try store(step)
        let linking = try Linking.begin(store: store, storeKey: key)
        say("code \(h(Data(linking.code.utf8)))")
        let answer = try primary.device.confirmLink(code: linking.code)
        say("answer \(answer.count) \(h(answer))")
        let host = join(step, try Host(relay: primary.relay, store: store, own: own, device: try linking.complete(answer: answer)))
        try publish(primary)
        try publish(host)
    }

    private func linkWrong(_ step: Step) throws {
        let linking = try Linking.begin(store: Store.memory(), storeKey: key)
        try attempt { _ = try device(step).confirmLink(code: "no code") }
        try attempt { _ = try linking.complete(answer: Data("no answer".utf8)) }
    }

    private func reopen(_ host: Host) throws {
        try host.device.wipe()
        host.device = try Device.open(store: host.store, storeKey: key)
        say("device \(host.device.id)")
    }

    private func acceptIdentity(_ step: Step) throws {
        let registry = device(step).registry()
        let user = try registry.users().first { $0.user == step.user! }
        let claimed = user.flatMap { step.claimed! ? $0.claimedKey : $0.accountKey }
        try take(host(step), try registry.acceptIdentity(user: step.user!, accountKey: claimed ?? AccountKey(Data(count: 32))))
    }

    private func spoil(_ own: FailingStore) {
        own.rows = own.rows.map { row in
            var row = row
            row[row.count - 1] ^= 1
            return row
        }
    }

    private func encrypt(_ step: Step, _ payload: Data) throws {
        lines(try device(step).batchEncrypt(recipients: step.to!, payload: payload)).forEach(say)
    }

    private func seen(_ step: Step) {
        let view = relay(step).view()
        view.seen.forEach { say(line($0)) }
        for each in view.waiting where each.count > 0 {
            say("waiting \(each.address.user)/\(each.address.device) \(each.count)")
        }
    }

    private func act(_ step: Step) throws {
        switch step.do {
        case "create":
            let relay = relay(step)
            let (store, own) = try store(step)
            let device = try Device.create(store: store, storeKey: key, user: step.user!)
            try publish(join(step, try Host(relay: relay, store: store, own: own, device: device)))
        case "publish": try publish(host(step))
        case "link": try link(step)
        case "link_wrong": try linkWrong(step)
        case "reopen": try reopen(host(step))
        case "close": try device(step).wipe()
        case "tick": sayAll(try device(step).tick().map(line))
        case "advance": sesame_test_advance(UInt64(step.days!) * day)
        case "remove_device": sayAll(try device(step).removeDevice(device: UInt32(step.number!)).map(line))
        case "fail": host(step).own!.faults[step.method!] = fault(step.with!)
        case "spoil": spoil(host(step).own!)
        case "open_wrong_key": _ = try Device.open(store: host(step).store, storeKey: Data(repeating: 0x5b, count: 32))
        case "create_over": _ = try Device.create(store: host(step).store, storeKey: key, user: host(step).user)
        case "open_empty": _ = try Device.open(store: Store.memory(), storeKey: key)
        case "seen": seen(step)
        default: try actOnSends(step)
        }
    }

    private func actOnSends(_ step: Step) throws {
        switch step.do {
        case "encrypt": try encrypt(step, Data(step.text!.utf8))
        case "encrypt_long": try encrypt(step, Data(repeating: UInt8(ascii: "x"), count: step.number!))
        case "send":
            try encrypt(step, Data(step.text!.utf8))
            try settle(host(step))
        case "settle": try settle(host(step))
        case "session_send":
            let session = try device(step).session(user: step.user!, device: UInt32(step.number!))
            try begin(step, try session.encrypt(payload: Data(step.text!.utf8)))
        case "outbox": sayAll(try device(step).outbox().flatMap(lines))
        case "abandon":
            for send in try device(step).outbox() { try device(step).abandon(send: send.id, user: step.user!) }
        case "read": try read(host(step))
        case "peek": sayAll(try device(step).batchDecrypt(envelopes: try fetch(host(step)).map(\.envelope)).map(line))
        case "steal": try steal(step)
        case "deliver":
            let found = mails[step.mails!]!
            let ordered = step.order == "reversed" ? found.reversed() : found
            try take(host(step), try device(step).batchDecrypt(envelopes: ordered))
        case "deliver_spoilt": try take(host(step), try device(step).batchDecrypt(envelopes: [spoilt(step)]))
        case "decrypt_many":
            let results = try device(step).batchDecrypt(envelopes: Array(repeating: Data(), count: step.number!))
            say("\(results.count) results")
        case "inbox": sayAll(try device(step).inbox().map(line))
        default: try actOnGroups(step)
        }
    }

    private func actOnGroups(_ step: Step) throws {
        switch step.do {
        case "group":
            let info = GroupChange(name: step.name!)
            try begin(step, try device(step).createGroup(kind: .pairwise, info: info, users: step.users!))
        case "fork": try begin(step, try group(step).forkWithout(users: step.users!))
        case "add": try begin(step, try group(step).add(users: step.users!))
        case "rename": try begin(step, try group(step).rename(name: step.name!))
        case "leave": try begin(step, try group(step).leave())
        case "accept": try begin(step, try group(step).accept())
        case "decline": try begin(step, try group(step).decline())
        case "say": try begin(step, try group(step).send(payload: Data(step.text!.utf8)))
        case "view": say(line(try group(step).view()))
        case "groups": sayAll(try device(step).groups().map(line))
        case "history":
            for entry in try group(step).history() {
                say("\(s(entry.id)) \(entry.user)/\(entry.device) \(line(entry.act)) \(entry.counts ? "counts" : "void")")
            }
        case "cost":
            let cost = try group(step).cost(length: UInt64(step.number!))
            say("\(cost.envelopes) envelopes \(cost.bytes) bytes" + words(named("unknown", cost.unknown)))
        case "group_session": say(line(try group(step).session(user: step.user!, device: UInt32(step.number!))))
        default: try actOnTheRegistry(step, device(step).registry())
        }
    }

    private func actOnTheRegistry(_ step: Step, _ registry: DeviceRegistry) throws {
        switch step.do {
        case "meet":
            let answers = try relay(step).answer(needs: step.users!.map { .deviceList(user: $0) })
            say(try registry.apply(answers: answers))
        case "apply_garbage":
            let (list, bundle) = (Data("no list".utf8), Data("no bundle".utf8))
            say(try registry.apply(answers: Answers(deviceLists: [list], bundles: [bundle], withoutBundle: [], unknownUsers: [])))
        case "session": say(line(try device(step).session(user: step.user!, device: UInt32(step.number!)).info()))
        case "users": try registry.users().forEach { say(line($0)) }
        case "devices": try registry.devices(user: step.user!).forEach { say(line($0)) }
        case "safety": say("safety \(try registry.safetyNumber(user: step.user!))")
        case "verify": try registry.markVerified(user: step.user!)
        case "resolve_fork": try registry.resolveFork(user: step.user!)
        case "accept_identity": try acceptIdentity(step)
        default: fatalError("no such step: \(step.do)")
        }
    }
}
