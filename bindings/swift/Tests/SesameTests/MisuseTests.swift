import Foundation
import MemoryStore
import Sesame
import XCTest

/// Ways to hold wrongly what begins, and what sends.
final class MisuseTests: Misuse {
    private func create(_ user: String, _ server: String = server, key: Data = key, token: Data? = nil, store: Store = .memory()) throws -> Device {
        try Device.create(store: store, storeKey: key, user: user, server: server, token: token)
    }

    private func file(_ bytes: Data? = nil, _ use: (String) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try bytes?.write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        try use(path.path)
    }

    func testAtTheBegin() {
        row("Device.create", "a key of 31 bytes", .invalidArgument) { _ in try create("a", key: Data(count: 31)) }
        row("Device.create", "a key of 33 bytes", .invalidArgument) { _ in try create("a", key: Data(count: 33)) }
        row("Device.create", "no key", .invalidArgument) { _ in try create("a", key: Data()) }
        row("Device.create", "an empty user", .invalidArgument) { _ in try create("") }
        row("Device.create", "a user of 65 bytes", .invalidArgument) { _ in try create(long) }
        row("Device.create", "a user of 22 characters of 3 bytes", .invalidArgument) { _ in try create(String(repeating: "あ", count: 22)) }
        row("Device.create", "an empty server", .invalidArgument) { _ in try create("a", "") }
        row("Device.create", "a server of 256 bytes", .invalidArgument) { _ in try create("a", String(repeating: "x", count: 256)) }
        row("Device.create", "a token of 1,025 bytes", .invalidArgument) { _ in try create("a", token: Data(count: 1025)) }
        row("Device.create", "a store that has a device", .foreignStore) { _ in
            let store = Store.memory()
            _ = try create("a", store: store)
            _ = try create("b", store: store)
        }
        row("Device.create", "a store that has a link", .foreignStore) { _ in
            let store = Store.memory()
            _ = try Linking.begin(store: store, storeKey: key, server: server)
            _ = try create("a", store: store)
        }
        row("Device.open", "a store without a device", .foreignStore) { _ in try Device.open(store: .memory(), storeKey: key) }
        row("Device.open", "a key of 31 bytes", .invalidArgument) { _ in try Device.open(store: .memory(), storeKey: Data(count: 31)) }
        row("Device.open", "another key", .wrongKey) { _ in
            let store = Store.memory()
            _ = try create("a", store: store)
            _ = try Device.open(store: store, storeKey: Data(count: 32))
        }
        row("Linking.resume", "a store without a link", .foreignStore) { _ in try Linking.resume(store: .memory(), storeKey: key) }
        row("Linking.resume", "a store with a device", .foreignStore) { _ in
            let store = Store.memory()
            _ = try create("a", store: store)
            _ = try Linking.resume(store: store, storeKey: key)
        }
        row("Linking.begin", "a store that has a device", .foreignStore) { _ in
            let store = Store.memory()
            _ = try create("a", store: store)
            _ = try Linking.begin(store: store, storeKey: key, server: server)
        }
        row("Linking.begin", "an empty server", .invalidArgument) { _ in try Linking.begin(store: .memory(), storeKey: key, server: "") }
        row("LocalRelay", "an empty server", .invalidArgument) { _ in try LocalRelay(server: "") }
        row("Store.sqlite", "a folder that is not there", .storePathMissing) { _ in try create("a", store: try .sqlite(path: "/no/such/folder/a.db")) }
        row("Store.sqlite", "a path that is a folder", .storePathNotAFile) { _ in try create("a", store: try .sqlite(path: "/tmp")) }
        row("Store.sqlite", "a file that is no database", .notAStore) { _ in
            try file(Data("no database".utf8)) { path in _ = try create("a", store: try .sqlite(path: path)) }
        }
        row("AppStore", "a store that throws an error of its own", .storeIo) { _ in
            let store = FailingStore()
            store.faults["load"] = CocoaError(.fileNoSuchFile)
            _ = try create("a", store: .app(store: store))
        }
        shows("AppStore", "a call into the library from within a store", "the code `reentrant`") { _ in
            let store = FailingStore()
            let device = try create("a", store: .app(store: store))
            var code: Code?
            store.onLoad = { code = try? thrown { _ = try device.inbox() }.code }
            _ = try device.health()
            return code == .reentrant
        }
        shows("checkStore", "a store that keeps nothing", "the claim that does not hold") { _ in
            try checkStore { Forgetful() } != nil
        }
    }

    func testSends() {
        row("batchEncrypt", "nobody", .emptyBatch) { try $0.bob.device.batchEncrypt(recipients: [], payload: text) }
        row("batchEncrypt", "257 users", .tooMany) {
            try $0.bob.device.batchEncrypt(recipients: (0...Limits.maxDirectUsers).map { "u\($0)" }, payload: text)
        }
        row("batchEncrypt", "an empty user", .invalidArgument) { try $0.bob.device.batchEncrypt(recipients: [""], payload: text) }
        row("batchEncrypt", "a user of 65 bytes", .invalidArgument) { try $0.bob.device.batchEncrypt(recipients: [long], payload: text) }
        row("batchEncrypt", "a payload of 65,537 bytes", .payloadTooLarge) {
            try $0.bob.device.batchEncrypt(recipients: ["alice"], payload: Data(count: Limits.maxPayload + 1))
        }
        for count in [0, 15, 17] {
            row("batchEncrypt", "a content id of \(count) bytes", .invalidArgument) {
                try $0.bob.device.batchEncrypt(recipients: ["alice"], payload: text, contentId: ContentId(Data(count: count)))
            }
        }
        row("batchEncrypt", "the content id of another text", .contentIdInUse) {
            let id = ContentId(Data(count: 16))
            try $0.bob.device.batchEncrypt(recipients: ["alice"], payload: text, contentId: id)
            try $0.bob.device.batchEncrypt(recipients: ["alice"], payload: Data(), contentId: id)
        }
        row("batchEncrypt", "the content id of a text for others", .contentIdInUse) {
            let id = ContentId(Data(count: 16))
            try $0.bob.device.batchEncrypt(recipients: ["alice"], payload: text, contentId: id)
            try $0.bob.device.batchEncrypt(recipients: ["carol"], payload: text, contentId: id)
        }
        shows("batchEncrypt", "one user twice", "one outcome, and one message") {
            let status = try $0.bob.send(to: "alice", "alice", text: "once")
            return try status?.users.count == 1 && $0.alice.read() == ["once"]
        }
        for (mistake, user) in [("a misspelled user", "alicia"), ("another case", "Alice"), ("a space too many", "alice ")] {
            shows("batchEncrypt", mistake, "the outcome failed, unknownUser") {
                let user = try $0.bob.send(to: user, text: "x")?.users.first
                return user?.outcome == .failed && user?.code == .unknownUser
            }
        }
        shows("batchEncrypt", "é in two code points for é in one", "the outcome failed, unknownUser") {
            _ = try $0.join("\u{e9}")
            return try $0.bob.send(to: "e\u{301}", text: "x")?.users.first?.code == .unknownUser
        }
        shows("batchEncrypt", "an empty payload", "an empty message") {
            _ = try $0.bob.send(to: "alice", text: "")
            return try $0.alice.read() == [""]
        }
        shows("batchEncrypt", "only oneself", "a send that finishes") { try $0.bob.send(to: "bob", text: "x")?.finished == true }
        shows("batchEncrypt", "no loop afterwards", "the outcome waiting, and something due") {
            let send = try $0.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
            return try $0.bob.device.sendStatus(send: send.id)?.users.first?.waitingFor == .server && $0.bob.device.dueIn() == 0
        }
        shows("batchEncrypt", "before the device was published", "the loop publishes it first, then sends") {
            let carol = Host($0.relay, try Device.create(store: .memory(), storeKey: key, user: "carol", server: server, clock: $0.clock))
            return try carol.send(to: "alice", text: "x")?.users.first?.outcome == .sent
        }
        shows("session.encrypt", "a device that nobody knows", "the outcome failed, unknownUser") {
            let send = try $0.bob.device.session(user: "nobody", device: 1).encrypt(payload: text)
            try $0.bob.exchange()
            return try $0.bob.device.sendStatus(send: send.id)?.users.first?.code == .unknownUser
        }
        row("session", "an empty user", .invalidArgument) { try $0.bob.device.session(user: "", device: 1) }
        row("sendStatus", "an id of 15 bytes", .invalidArgument) { try $0.bob.device.sendStatus(send: SendId(Data(count: 15))) }
        shows("sendStatus", "a send that is not there", "nil") { try $0.bob.device.sendStatus(send: SendId(Data(count: 16))) == nil }
        row("cancel", "a send that is not there", .unknownSend) { try $0.bob.device.cancel(send: SendId(Data(count: 16))) }
        row("cancel", "a user whom it does not name", .unknownUser) {
            let send = try $0.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
            try $0.bob.device.cancel(send: send.id, users: ["carol"])
        }
        shows("cancel", "a send that was sent", "it stays sent") {
            let status = try $0.bob.send(to: "alice", text: "x")!
            try $0.bob.device.cancel(send: status.id)
            return try $0.bob.device.sendStatus(send: status.id)?.users.first?.outcome == .sent
        }
        row("retry", "a send that is not there", .unknownSend) { try $0.bob.device.retry(send: SendId(Data(count: 16))) }
        row("retry", "an id of 15 bytes", .invalidArgument) { try $0.bob.device.retry(send: SendId(Data(count: 15))) }
        shows("retry", "a send that was sent", "it is not sent twice") {
            let status = try $0.bob.send(to: "alice", text: "x")!
            try $0.bob.device.retry(send: status.id)
            try $0.bob.exchange()
            return try $0.alice.read() == ["x"]
        }
        shows("batches", "a send that is not there", "no batch") { try $0.bob.device.batches(send: SendId(Data(count: 16))).isEmpty }
        row("batchEncrypt", "after `close`", .closed) {
            try $0.bob.device.close()
            try $0.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
        }
        shows("close", "twice", "nothing") {
            try $0.bob.device.close()
            try $0.bob.device.close()
            return true
        }
    }
}

/// Says that it has written, and has not.
final class Forgetful: AppStore {
    private let inner = MemoryStore()

    func load(queries: [StoreQuery], hold: Bool) throws -> StoreSnapshot {
        try inner.load(queries: queries, hold: hold)
    }

    func commit(expected: Data, next: Data, changes: [StoreChange]) throws -> Bool {
        true
    }

    func release() {}
}
