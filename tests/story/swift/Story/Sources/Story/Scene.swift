import Foundation
import Outside
import Sesame

let key = Data(repeating: 0x5a, count: 32)
let server = "relay.example"

/// One step of a scene. A field that is missing is empty, 0 or false.
struct Step {
    private let fields: [String: Any]

    init(_ fields: [String: Any]) {
        self.fields = fields
    }

    func text(_ field: String) -> String {
        fields[field] as? String ?? ""
    }

    func texts(_ field: String) -> [String] {
        fields[field] as? [String] ?? []
    }

    func number(_ field: String) -> Int {
        (fields[field] as? NSNumber)?.intValue ?? 0
    }

    func has(_ field: String) -> Bool {
        fields[field] != nil
    }
}

/// A device, and what an app keeps around it.
final class Host {
    var path: Path
    let store: Store
    let own: FailingStore?
    var device: Device
    let user: String
    let id: UInt32
    /// The last send that a step has printed.
    var last: PendingSend?

    init(_ relay: LocalRelay, _ kept: (Store, FailingStore?), _ device: Device) {
        (path, self.device) = (Path(relay: relay), device)
        (store, own) = kept
        (user, id) = (device.user, device.id)
    }
}

/// What a scene has made so far.
final class Scene {
    private let number: Int
    private let folder: URL
    private(set) var out: [String]
    var hosts: [String: Host] = [:]
    private var relays: [String: LocalRelay] = [:]
    var groups: [String: GroupId] = [:]
    var mails: [String: [Data]] = [:]
    /// The last hand-over that was begun.
    var handover = HandoverId(Data(count: 16))

    init(name: String, number: Int, folder: URL) {
        (self.number, self.folder) = (number, folder)
        out = ["# scene \(name)"]
    }

    func play(_ step: Step) throws {
        out.append("> \(step.text("do"))" + words(step.text("device")))
        do {
            try act(step)
        } catch let error as SesameError {
            say("! \(error.code.rawValue)")
        }
    }

    /// What a call came to, where a step goes on after a failure.
    func sayOutcome(_ call: () throws -> Void) throws {
        do {
            try call()
            say("ok")
        } catch let error as SesameError {
            say("! \(error.code.rawValue)")
        }
    }

    func say(_ line: String) {
        out.append("  " + line)
    }

    func sayAll(_ lines: [String]) {
        (lines.isEmpty ? ["nothing"] : lines).forEach(say)
    }

    func host(_ step: Step) -> Host {
        hosts[step.text("device")]!
    }

    func device(_ step: Step) -> Device {
        host(step).device
    }

    func group(_ step: Step) throws -> Group {
        try device(step).group(id: groups[step.text("group")]!)
    }

    func relay(_ step: Step) throws -> LocalRelay {
        let name = step.text("relay")
        let relay = try relays[name] ?? LocalRelay(server: server)
        relays[name] = relay
        return relay
    }

    func store(_ step: Step) throws -> (Store, FailingStore?) {
        switch step.text("store") {
        case "sqlite":
            return (try Store.sqlite(path: folder.appendingPathComponent("\(number)-\(step.text("device")).db").path), nil)
        case "app":
            let own = FailingStore()
            return (Store.app(store: own), own)
        default:
            return (Store.memory(), nil)
        }
    }

    private func act(_ step: Step) throws {
        switch step.text("do") {
        case "advance":
            let seconds = step.number("days") * 24 * 60 * 60 + step.number("seconds")
            sesame_test_advance(UInt64(seconds) * 1000)
        case "restored": try relay(step).restored()
        case "seen":
            let view = try relay(step).view()
            view.seen.forEach { say(line($0)) }
            for each in view.waiting where each.count > 0 {
                say("waiting \(each.address.user)/\(each.address.device) \(each.count)")
            }
        default:
            let parts = [actOnDevices, actOnStores, actOnTheLoop, actOnSends, actOnMail, actOnGroups, actOnTheRegistry]
            for part in parts where try part(step) { return }
            fatalError("no such step: \(step.text("do"))")
        }
    }
}
