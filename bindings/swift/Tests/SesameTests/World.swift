import Foundation
import Sesame
import XCTest

let key = Data(repeating: 0x5a, count: 32)

/// One device, as an app drives it: it moves bytes between the library and the server.
final class Host {
    let relay: LocalRelay
    let device: Device
    let user: String
    let id: UInt32

    init(_ relay: LocalRelay, _ device: Device) throws {
        (self.relay, self.device) = (relay, device)
        (user, id) = (device.user, device.id)
    }

    func publish() throws {
        while let upload = try device.publication() {
            _ = try relay.publish(user: user, device: id, publication: upload.bytes)
            try device.published(id: upload.id)
        }
    }

    func send(to user: String, _ text: String) throws {
        try settle(try device.batchEncrypt(recipients: [user], payload: Data(text.utf8)))
    }

    /// Submits every batch and brings what is needed, until the send is settled.
    func settle(_ send: PendingSend) throws {
        var pending: PendingSend? = send
        while let send = pending {
            for batch in send.batches {
                switch try relay.submit(user: user, device: id, batch: batch) {
                case .accepted: try device.accepted(send: send.id, user: batch.user)
                case let .stale(list, _, _): _ = try device.rejected(send: send.id, user: batch.user, deviceList: list)
                case .noSuchUser: _ = try device.noSuchUser(send: send.id, user: batch.user)
                }
            }
            _ = try device.registry().apply(answers: try relay.answer(needs: send.needs))
            pending = try device.pending(send: send.id)
        }
    }

    func fetch() throws -> [Data] {
        let mails = try relay.fetch(user: user, device: id)
        try relay.confirm(user: user, device: id, ids: mails.map(\.id))
        return mails.map(\.envelope)
    }

    func read() throws -> [String] {
        texts(try device.batchDecrypt(envelopes: try fetch()))
    }
}

func texts(_ results: [Received]) -> [String] {
    results.compactMap { result in
        guard case let .message(_, _, content) = result else { return nil }
        return String(decoding: content.payload, as: UTF8.self)
    }
}

/// Alice and Bob, each with a device that has been published.
struct World {
    let relay = LocalRelay()
    let alice: Host
    let bob: Host

    init() throws {
        alice = try Host(relay, try Device.create(store: Store.memory(), storeKey: key, user: "alice"))
        bob = try Host(relay, try Device.create(store: Store.memory(), storeKey: key, user: "bob"))
        try alice.publish()
        try bob.publish()
    }

    func join(_ user: String, _ store: Store) throws -> Host {
        let host = try Host(relay, try Device.create(store: store, storeKey: key, user: user))
        try host.publish()
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
