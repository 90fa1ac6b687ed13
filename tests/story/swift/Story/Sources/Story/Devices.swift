import Foundation
import Outside
import Sesame

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

extension Scene {
    func actOnDevices(_ step: Step) throws -> Bool {
        switch step.text("do") {
        case "create":
            let (relay, kept) = (try relay(step), try store(step))
            let device = try Device.create(store: kept.0, storeKey: key, user: step.text("user"), server: server)
            say("device \(device.id)")
            let host = Host(relay, kept, device)
            hosts[step.text("device")] = host
            try exchange(host)
        case "link": try link(step)
        case "link_wrong": try linkWrong(device(step))
        case "reopen":
            let host = host(step)
            try host.device.close()
            host.device = try Device.open(store: host.store, storeKey: key)
            say("device \(host.device.id)")
        case "close": try device(step).close()
        case "adopt_own_list": try device(step).adoptOwnList(hash: ListHash(Data(count: 32)))
        case "hand_over":
            let view = try device(step).handOver(device: UInt32(step.number("number")))
            say("handover \(s(view.id.data)) digits \(view.digits)")
            handover = view.id
        case "confirm_handover": try device(step).confirmHandover(handover: handover)
        case "cancel_handover": try device(step).cancelHandover(handover: handover)
        case "remove_device": try device(step).removeDevice(device: UInt32(step.number("number")))
        case "keep_sent": try device(step).keepSent(days: UInt32(step.number("number")))
        case "set_push":
            let value = step.text("text")
            try device(step).setPush(value: value.isEmpty ? nil : Data(value.utf8))
        case "log_out":
            let (host, send) = (host(step), try device(step).logOut())
            host.last = send
            say(line(send))
        case "delete_account": try device(step).deleteAccount()
        case "primary": say("primary \(yes(try device(step).isPrimary()))")
        default: return false
        }
        return true
    }

    func actOnStores(_ step: Step) throws -> Bool {
        switch step.text("do") {
        case "fail": host(step).own!.faults[step.text("method")] = fault(step.number("with"))
        case "spoil":
            let own = host(step).own!
            own.rows = own.rows.map { row in
                var row = row
                row[row.count - 1] ^= 1
                return row
            }
        case "erase": try host(step).store.erase()
        case "open_wrong_key": _ = try Device.open(store: host(step).store, storeKey: Data(repeating: 0x5b, count: 32))
        case "create_over":
            _ = try Device.create(store: host(step).store, storeKey: key, user: host(step).user, server: server)
        case "open_empty": _ = try Device.open(store: Store.memory(), storeKey: key)
        default: return false
        }
        return true
    }

    private func link(_ step: Step) throws {
        let (primary, kept) = (hosts[step.text("primary")]!, try store(step))
        let relay = primary.path.relay
        let linking = try Linking.begin(store: kept.0, storeKey: key, server: server)
        say("code \(h(Data(linking.code.utf8)))")
        let pending = try primary.device.linkDevice(code: linking.code)
        try exchange(primary)
        try exchange(linking, relay)
        let digits = try linking.digits()!
        say("digits \(digits)" + (digits == pending.digits ? "" : " other \(pending.digits)"))
        try linking.confirm()
        say("device \(try pending.confirm())")
        try exchange(primary)
        try exchange(linking, relay)
        let host = Host(relay, kept, try linking.device()!)
        hosts[step.text("device")] = host
        try exchange(host)
    }

    private func linkWrong(_ device: Device) throws {
        try sayOutcome { _ = try device.linkDevice(code: "no code") }
        let first = try Linking.begin(store: Store.memory(), storeKey: key, server: server)
        try sayOutcome { _ = try device.linkDevice(code: String(first.code.dropLast())) }
        try sayOutcome { try first.confirm() }
        try sayOutcome {
            try device.linkDevice(code: first.code).cancel()
            _ = try device.linkDevice(code: first.code)
        }
        let second = try Linking.begin(store: Store.memory(), storeKey: key, server: server)
        sesame_test_advance(660_000)
        try sayOutcome { _ = try device.linkDevice(code: second.code) }
        say("expired \(yes(try second.expired()))")
    }
}
