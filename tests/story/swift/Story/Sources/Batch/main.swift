// What a message costs through Swift, by the size of its batch, as `ffi/benches/batch.rs` does it in Rust.
//
// `encrypt` is a send to so many users to its end, `decrypt` a mailbox of so many messages, both as the library's own time, without the relay.
// Prints a line each: what, how many items, microseconds an item (the median of the rounds).

import Foundation
import Sesame

let peerCount = 250
let sizes = [1, 100, 250]
let rounds = 7
let server = "relay.example"
let text = Data("a message of about a hundred bytes, as people write them all day long, in the group or to each other".utf8)

/// Nanoseconds that calls of the library took.
struct Stopwatch {
    var spent: UInt64 = 0

    mutating func time<Value>(_ call: () throws -> Value) rethrows -> Value {
        let begun = DispatchTime.now().uptimeNanoseconds
        defer { spent += DispatchTime.now().uptimeNanoseconds - begun }
        return try call()
    }
}

final class Host {
    let user: String
    let device: Device
    private let relay: LocalRelay

    init(_ user: String, _ store: Store, _ relay: LocalRelay) throws {
        (self.user, self.relay) = (user, relay)
        device = try Device.create(store: store, storeKey: Data(repeating: 1, count: 32), user: user, server: server)
        var watch = Stopwatch()
        try exchange(&watch)
    }

    /// The loop.
    private func exchange(_ watch: inout Stopwatch) throws {
        while let request = try watch.time({ try device.nextRequest() }) {
            let answer = relay.perform(request: request)
            precondition(answer.status == 200)
            // What follows from mail, its confirmation, is not what is measured.
            var unmeasured = Stopwatch()
            if request.kind == .confirm {
                _ = try unmeasured.time { try device.respond(id: request.id, status: answer.status, body: answer.body) }
            } else {
                _ = try watch.time { try device.respond(id: request.id, status: answer.status, body: answer.body) }
            }
        }
    }

    /// One send to its end; gives the nanoseconds.
    @discardableResult
    func send(_ to: [String]) throws -> UInt64 {
        var watch = Stopwatch()
        _ = try watch.time { try device.batchEncrypt(recipients: to, payload: text) }
        try exchange(&watch)
        return watch.spent
    }

    /// Opens all that waits; gives the nanoseconds.
    @discardableResult
    func read() throws -> UInt64 {
        var watch = Stopwatch()
        try device.requestMail()
        try exchange(&watch)
        return watch.spent
    }

    @discardableResult
    func ack() throws -> Int {
        let ids = try device.inbox(limit: .max).map(\.id)
        try device.ack(ids: ids)
        return ids.count
    }

    /// Begins sessions, and has them answered: what is measured is what most messages are.
    func meet(_ peers: [Host]) throws {
        try send(peers.map(\.user))
        for peer in peers {
            try peer.read()
            try peer.send([user])
            try peer.ack()
        }
        try read()
        try ack()
    }
}

func show(_ what: String, _ items: Int, _ times: [UInt64]) {
    print(what, items, String(format: "%.3f", Double(times.sorted()[times.count / 2]) / 1e3 / Double(items)))
}

func measure(_ kind: String, _ writer: Host, _ reader: Host, _ users: [String]) throws {
    for items in sizes {
        var times = [UInt64]()
        for _ in 0..<rounds * (items == 1 ? 20 : 1) {
            times.append(try writer.send(Array(users.prefix(items))))
            let ends = try writer.ack()
            precondition(ends == 1)
        }
        show("encrypt\(kind)", items, times)
    }
    for items in sizes {
        var times = [UInt64]()
        for _ in 0..<rounds * (items == 1 ? 20 : 1) {
            for _ in 0..<items { try writer.send([reader.user]) }
            try writer.ack()
            times.append(try reader.read())
            let read = try reader.ack()
            precondition(read == items)
        }
        show("decrypt\(kind)", items, times)
    }
}

let relay = try LocalRelay(server: server)
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
var times = [UInt64]()
for _ in 0..<2000 {
    var watch = Stopwatch()
    _ = watch.time { peers[0].device.id }
    times.append(watch.spent)
}
show("call", 1, times)
try FileManager.default.removeItem(at: folder)
