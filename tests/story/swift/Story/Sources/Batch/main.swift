// What a message costs through Swift, by the size of its batch, as `ffi/benches/batch.rs` does it in Rust.
//
// Prints a line each: what, how many items in one call, microseconds an item (the median of the rounds).

import Foundation
import Sesame

let peerCount = 1000
let sizes = [1, 100, 1000]
let rounds = 7
let text = Data("a message of about a hundred bytes, as people write them all day long, in the group or to each other".utf8)

final class Host {
    let user: String
    let device: Device
    private let relay: LocalRelay

    init(_ user: String, _ store: Store, _ relay: LocalRelay) throws {
        (self.user, self.relay) = (user, relay)
        device = try Device.create(store: store, storeKey: Data(repeating: 1, count: 32), user: user)
        while let upload = try device.publication() {
            _ = try relay.publish(user: user, device: 1, publication: upload.bytes)
            try device.published(id: upload.id)
        }
    }

    func settle(_ send: PendingSend) throws {
        var next: PendingSend? = send
        while let send = next {
            for batch in send.batches {
                let said = try relay.submit(user: user, device: 1, batch: batch)
                precondition(said == .accepted)
                try device.accepted(send: send.id, user: batch.user)
            }
            _ = try device.registry().apply(answers: try relay.answer(needs: send.needs))
            next = try device.pending(send: send.id)
        }
    }

    func fetch() throws -> [Data] {
        let mails = try relay.fetch(user: user, device: 1, limit: UInt32(peerCount))
        try relay.confirm(user: user, device: 1, ids: mails.map(\.id))
        return mails.map(\.envelope)
    }

    func read() throws {
        _ = try device.batchDecrypt(envelopes: try fetch())
        try ack()
    }

    func ack() throws {
        try device.ack(
            ids: try device.inbox().compactMap { item in
                switch item {
                case let .message(_, id, _), let .event(_, id, _): return id
                default: return nil
                }
            })
    }

    func meet(_ peers: [Host]) throws {
        try settle(try device.batchEncrypt(recipients: peers.map(\.user), payload: text))
        for peer in peers {
            try peer.read()
            try peer.settle(try peer.device.batchEncrypt(recipients: [user], payload: text))
        }
        try read()
    }
}

/// Seconds that a call took, and what it gave.
func timed<Value>(_ times: inout [Double], _ call: () throws -> Value) rethrows -> Value {
    let begun = DispatchTime.now().uptimeNanoseconds
    let value = try call()
    times.append(Double(DispatchTime.now().uptimeNanoseconds - begun))
    return value
}

func show(_ what: String, _ items: Int, _ times: [Double]) {
    print(what, items, String(format: "%.3f", times.sorted()[times.count / 2] / 1e3 / Double(items)))
}

func measure(_ kind: String, _ writer: Host, _ reader: Host, _ users: [String]) throws {
    for items in sizes {
        var times = [Double]()
        for _ in 0..<rounds * (items == 1 ? 20 : 1) {
            let to = Array(users.prefix(items))
            let send = try timed(&times) { try writer.device.batchEncrypt(recipients: to, payload: text) }
            precondition(send.batches.count == items + 1)
            try writer.settle(send)
        }
        show("encrypt\(kind)", items, times)
    }
    for items in sizes {
        var times = [Double]()
        for _ in 0..<rounds * (items == 1 ? 20 : 1) {
            for _ in 0..<items { try writer.settle(try writer.device.batchEncrypt(recipients: [reader.user], payload: text)) }
            let envelopes = try reader.fetch()
            let results = try timed(&times) { try reader.device.batchDecrypt(envelopes: envelopes) }
            let messages = results.filter { if case .message = $0 { true } else { false } }
            precondition(messages.count == items)
            try reader.ack()
        }
        show("decrypt\(kind)", items, times)
    }
}

let relay = LocalRelay()
let peers = try (0..<peerCount).map { try Host("peer-\($0)", Store.memory(), relay) }
let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
for kind in ["", "-sqlite"] {
    let hosts = try ["writer", "reader"].map { name in
        let store = kind.isEmpty ? Store.memory() : try Store.sqlite(path: folder.appendingPathComponent(name).path)
        return try Host(name + kind, store, relay)
    }
    try hosts[0].meet(peers)
    try hosts[0].meet([hosts[1]])
    try measure(kind, hosts[0], hosts[1], peers.map(\.user))
}
var times = [Double]()
for _ in 0..<2000 { _ = timed(&times) { peers[0].device.id } }
show("call", 1, times)
try FileManager.default.removeItem(at: folder)
