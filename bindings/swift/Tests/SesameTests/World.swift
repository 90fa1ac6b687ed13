import Foundation
import Sesame
import XCTest

let key = Data(repeating: 0x5a, count: 32)
let server = "relay.example"
let day: TimeInterval = 24 * 60 * 60

/// One device, as an app drives it: it moves bytes between the library and the server.
final class Host {
    let relay: LocalRelay
    let device: Device

    init(_ relay: LocalRelay, _ device: Device) {
        (self.relay, self.device) = (relay, device)
    }

    @discardableResult
    func exchange() throws -> Exchanged {
        try device.exchange { relay.perform(request: $0) }
    }

    @discardableResult
    func send(to users: String..., text: String) throws -> SendStatus? {
        let send = try device.batchEncrypt(recipients: users, payload: Data(text.utf8))
        try exchange()
        return try device.sendStatus(send: send.id)
    }

    /// Everything that came and was not acked; it is acked.
    func items() throws -> [InboxItem] {
        try device.requestMail()
        try exchange()
        let items = try device.inbox(limit: 4096)
        try device.ack(ids: items.map(\.id))
        return items
    }

    func read() throws -> [String] {
        texts(try items())
    }

    func events() throws -> [Event] {
        try items().compactMap(\.event)
    }

    /// What waits at the server, taken by another way than the loop: as a push carries it.
    func pushed() throws -> [Data] {
        try device.requestMail()
        var envelopes: [Data] = []
        while let request = try device.nextRequest() {
            let answer = relay.perform(request: request)
            if request.kind == .mail { envelopes += mails(answer.body) }
            try device.respond(id: request.id, status: request.kind == .mail ? 503 : answer.status, body: request.kind == .mail ? nil : answer.body)
        }
        try device.retryNow()
        return envelopes
    }
}

/// The envelopes in the server's answer to a request for mail: a vector of `{id u64, envelope opaque (u32)}`.
private func mails(_ body: Data) -> [Data] {
    var rest = body
    func number(_ bytes: Int) -> Int {
        defer { rest = rest.dropFirst(bytes) }
        return rest.prefix(bytes).reduce(0) { $0 << 8 | Int($1) }
    }
    var envelopes: [Data] = []
    let end = rest.count - 4 - number(4)
    while rest.count > end {
        rest = rest.dropFirst(8)
        let length = number(4)
        envelopes.append(Data(rest.prefix(length)))
        rest = rest.dropFirst(length)
    }
    return envelopes
}

func texts(_ items: [InboxItem]) -> [String] {
    items.compactMap { $0.message.map { String(decoding: $0.payload, as: UTF8.self) } }
}

/// Alice and Bob, each with a device that has been published, and a clock that stands.
struct World {
    let clock: TestClock
    let relay: LocalRelay
    let alice: Host
    let bob: Host

    init() throws {
        clock = TestClock()
        relay = try LocalRelay(server: server, clock: clock)
        alice = Host(relay, try Device.create(store: Store.memory(), storeKey: key, user: "alice", server: server, clock: clock))
        bob = Host(relay, try Device.create(store: Store.memory(), storeKey: key, user: "bob", server: server, clock: clock))
        try alice.exchange()
        try bob.exchange()
    }

    func join(_ user: String, _ store: Store = Store.memory()) throws -> Host {
        let host = Host(relay, try Device.create(store: store, storeKey: key, user: user, server: server, clock: clock))
        try host.exchange()
        return host
    }

    /// Alice loses everything and begins anew at a server that knows nobody, where Bob goes as well: Bob there, and the other Alice.
    func reborn() throws -> (bob: Host, alice: Host) {
        try bob.send(to: "alice", text: "so that the key is pinned")
        let other = try LocalRelay(server: server, clock: clock)
        let again = Host(other, try Device.create(store: Store.memory(), storeKey: key, user: "alice", server: server, clock: clock))
        try again.exchange()
        let moved = Host(other, bob.device)
        // The other server asks Bob's device for its first upload.
        try moved.device.requestMail()
        for _ in 1...4 {
            try moved.exchange()
            clock.advance(by: 5)
        }
        return (moved, again)
    }

    /// Another device of a user, linked by the primary.
    func link(_ primary: Host, _ store: Store = Store.memory()) throws -> Host {
        let linking = try Linking.begin(store: store, storeKey: key, server: server, clock: clock)
        let pending = try primary.device.linkDevice(code: linking.code)
        try primary.exchange()
        try linking.exchange { relay.perform(request: $0) }
        XCTAssertEqual(try linking.digits(), pending.digits)
        try linking.confirm()
        let id = try pending.confirm()
        try primary.exchange()
        try linking.exchange { relay.perform(request: $0) }
        let device = try XCTUnwrap(try linking.device())
        XCTAssertEqual(device.id, id)
        let host = Host(relay, device)
        try host.exchange()
        return host
    }
}

/// The error that a call throws.
func thrown(_ call: () throws -> Void, file: StaticString = #filePath, line: UInt = #line) throws -> SesameError {
    do {
        try call()
    } catch let error as SesameError {
        return error
    }
    XCTFail("nothing was thrown", file: file, line: line)
    throw CancellationError()
}
