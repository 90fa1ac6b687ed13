// What a message costs through Swift, by the size of its batch, as `ffi/benches/batch.rs` does it in Rust.
//
// `encrypt` is a send to so many users to its end, `decrypt` a mailbox of so many messages, both through the loop and without the relay;
// `inbox` reads what they said, the sender and the payload of each; `envelopes` is `batchDecrypt` of so many envelopes with a look at each
// result; `ack` ends so many items. Prints a line each: what, how many items, microseconds of this thread an item (the median of the rounds).

import Foundation
import Sesame

let peerCount = 250
let sendSizes = [1, 100, peerCount]
let mailSizes = [1, 100, 1000]
let server = "relay.example"
let text = Data("a message of about a hundred bytes, as people write them all day long, in the group or to each other".utf8)

/// The processor time of this thread, in nanoseconds.
func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Nanoseconds that calls of the library took.
struct Stopwatch {
    var spent: UInt64 = 0

    mutating func time<Value>(_ call: () throws -> Value) rethrows -> Value {
        let begun = now()
        defer { spent += now() - begun }
        return try call()
    }
}

final class Host {
    let user: String
    let device: Device
    let relay: LocalRelay

    init(_ user: String, _ store: Store, _ relay: LocalRelay) throws {
        (self.user, self.relay) = (user, relay)
        device = try Device.create(store: store, storeKey: Data(repeating: 1, count: 32), user: user, server: server)
        var watch = Stopwatch()
        try exchange(&watch)
    }

    /// The loop.
    func exchange(_ watch: inout Stopwatch) throws {
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

    /// Reads the inbox as an app does: the ids, and the bytes of the senders' names and of the payloads.
    func look() throws -> (ids: [UInt64], bytes: Int) {
        var (ids, bytes) = ([UInt64](), 0)
        for item in try device.inbox(limit: .max) {
            ids.append(item.id)
            if case .message(_, let message) = item {
                bytes += message.user.utf8.count + message.payload.count
            }
        }
        return (ids, bytes)
    }

    /// How many of these envelopes were opened.
    func open(_ envelopes: [Data]) throws -> Int {
        var opened = 0
        for result in try device.batchDecrypt(envelopes: envelopes) where result.outcome == .opened { opened += 1 }
        return opened
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

func rounds(_ items: Int) -> Int {
    switch items {
    case 1: 60
    case 100: 11
    default: 5
    }
}

/// Puts so many messages into the reader's mailbox.
func write(_ writer: Host, _ reader: Host, _ items: Int) throws {
    for _ in 0..<items { try writer.send([reader.user]) }
    try writer.ack()
}

func measure(_ kind: String, _ writer: Host, _ reader: Host, _ users: [String]) throws {
    for items in sendSizes {
        var times = [UInt64]()
        for _ in 0..<rounds(items) {
            times.append(try writer.send(Array(users.prefix(items))))
            let ends = try writer.ack()
            precondition(ends == 1)
        }
        show("encrypt\(kind)", items, times)
    }
    for items in kind.isEmpty ? mailSizes : mailSizes.dropLast() {
        var (loops, looks, opens, acks) = ([UInt64](), [UInt64](), [UInt64](), [UInt64]())
        for _ in 0..<rounds(items) {
            try write(writer, reader, items)
            loops.append(try reader.read())
            var watch = Stopwatch()
            let (ids, bytes) = try watch.time { try reader.look() }
            looks.append(watch.spent)
            precondition(bytes == items * (writer.user.utf8.count + text.count))
            watch = Stopwatch()
            try watch.time { try reader.device.ack(ids: ids) }
            acks.append(watch.spent)
            try write(writer, reader, items)
            let envelopes = try reader.relay.mailbox(user: reader.user, device: reader.device.id)
            watch = Stopwatch()
            let opened = try watch.time { try reader.open(envelopes) }
            opens.append(watch.spent)
            precondition(opened == items)
            try reader.relay.lose(user: reader.user, device: reader.device.id)
            var unmeasured = Stopwatch()
            try reader.exchange(&unmeasured)
            let read = try reader.ack()
            precondition(read == items)
        }
        for (what, times) in [("decrypt", loops), ("inbox", looks), ("envelopes", opens), ("ack", acks)] {
            show("\(what)\(kind)", items, times)
        }
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
for _ in 0..<20 {
    var watch = Stopwatch()
    watch.time { for _ in 0..<1000 { _ = peers[0].device.id } }
    times.append(watch.spent / 1000)
}
show("call", 1, times)
try FileManager.default.removeItem(at: folder)
