import Foundation
import Sesame
import XCTest

/// Ways to hold wrongly what has to do with the server, with mail, with other users and with other devices.
final class MisuseOthersTests: Misuse {
    private func begin(_ world: World) throws -> ServerRequest {
        try world.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
        return try XCTUnwrap(try world.bob.device.nextRequest())
    }

    @discardableResult
    private func respond(_ world: World, _ request: ServerRequest, _ status: UInt16, _ body: Data?) throws -> Answered {
        try world.bob.device.respond(id: request.id, status: status, body: body)
    }

    private func changed(_ request: ServerRequest, path: String? = nil, headers: [Header]? = nil, body: Data? = nil) -> ServerRequest {
        ServerRequest(
            id: request.id, kind: request.kind, path: path ?? request.path, headers: headers ?? request.headers, body: body ?? request.body,
            users: request.users)
    }

    /// Changes the first request on its way: whether everything goes out all the same.
    private func heals(_ world: World, _ change: (ServerRequest) -> ServerRequest) throws -> Bool {
        try world.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
        var answers: [UInt16] = []
        try world.bob.device.exchange { request in
            let answer = world.relay.perform(request: answers.isEmpty ? change(request) : request)
            answers.append(answer.status)
            return answer
        }
        return try answers.first == 401 && world.alice.read() == ["x"]
    }

    func testTheLoop() {
        row("respond", "an id of 15 bytes", .invalidArgument) {
            try $0.bob.device.respond(id: RequestId(Data(count: 15)), status: 200)
        }
        row("respond", "another device's request", .foreignRequest) { world in
            let request = try begin(world)
            return try world.alice.device.respond(id: request.id, status: 200, body: nil)
        }
        row("release", "an id of 15 bytes", .invalidArgument) { try $0.bob.device.release(id: RequestId(Data(count: 15))) }
        row("release", "another device's request", .foreignRequest) { world in
            let request = try begin(world)
            return try world.alice.device.release(id: request.id)
        }
        shows("respond", "twice", "the second time `known` is false") { world in
            let request = try begin(world)
            let answer = world.relay.perform(request: request)
            let first = try respond(world, request, answer.status, answer.body)
            return try first.known && !respond(world, request, answer.status, answer.body).known
        }
        shows("respond", "after `release`", "`known` is false") { world in
            let request = try begin(world)
            try world.bob.device.release(id: request.id)
            return try !respond(world, request, 503, nil).known
        }
        let bodies: [(String, UInt16, Data?, Code)] = [
            ("status 0 with a body", 0, Data("body".utf8), .serverUnreachable), ("no body", 200, nil, .serverAnswer),
            ("a page for a body", 200, Data("<html>".utf8), .serverAnswer), ("status 65,535", 65_535, nil, .serverAnswer),
            ("status 302", 302, nil, .serverAnswer), ("a body of a megabyte", 200, Data(repeating: 0xff, count: 1 << 20), .serverAnswer),
            ("status 500", 500, nil, .serverBusy),
        ]
        for (mistake, status, body, problem) in bodies {
            shows("respond", mistake, "the problem \(problem), and a pause") { world in
                let request = try begin(world)
                return try respond(world, request, status, body).problem == problem && world.bob.device.dueIn() > 0
            }
        }
        shows("respond", "the answer to another request", "a problem, and it heals") { world in
            world.clock.advance(by: 1)
            let other = try begin(world)
            let answer = ServerAnswer(status: 200, body: Data(count: 4))
            let problem = try respond(world, other, answer.status, answer.body).problem
            try world.bob.device.retryNow()
            try world.bob.exchange()
            return try problem != nil && world.alice.read() == ["x"]
        }
        shows("respond", "never", "the loop ends, and goes on within a minute") { world in
            var count = 0
            _ = try begin(world)
            while try world.bob.device.nextRequest() != nil, count < 100 { count += 1 }
            return try count < 100 && world.bob.device.dueIn() <= 60
        }
        shows("exchange", "a transport that always throws", "its error, once, and a pause") { world in
            _ = try world.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
            var asked = 0
            do {
                try world.bob.device.exchange { _ in
                    asked += 1
                    throw CocoaError(.fileNoSuchFile)
                }
            } catch is CocoaError {
                return asked == 1
            }
            return false
        }
        shows("exchange", "within a transport", "the inner loop does what is left, and both end") { world in
            _ = try world.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
            try world.bob.device.exchange { request in
                try world.bob.exchange()
                return world.relay.perform(request: request)
            }
            return try world.alice.read() == ["x"]
        }
        let says = "status 401 once; the request is signed again and goes out"
        shows("perform", "a request without its headers", says) { try heals($0) { changed($0, headers: []) } }
        shows("perform", "a request with another body", says) { try heals($0) { changed($0, body: $0.body + Data([0])) } }
        shows("perform", "two hours later", says) { world in
            try heals(world) {
                world.clock.advance(by: 2 * 60 * 60)
                return $0
            }
        }
        shows("perform", "another path", "the outcome failed, serverAnswer") { world in
            let request = try begin(world)
            let answer = world.relay.perform(request: changed(request, path: "/v1/nothing"))
            try respond(world, request, answer.status, answer.body)
            return try world.bob.device.sends().first?.users.first?.code == .serverAnswer
        }
        shows("perform", "at a server of another name", "the problem serverUnauthorized") { world in
            let other = try LocalRelay(server: "other.example", clock: world.clock)
            try world.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
            var problems: [Code] = []
            for _ in 1...4 {
                problems += try world.bob.device.exchange { other.perform(request: $0) }.problems
                world.clock.advance(by: 5)
            }
            return problems.contains(.serverUnauthorized)
        }
        row("nextRequest", "after `close`", .closed) {
            try $0.bob.device.close()
            _ = try $0.bob.device.nextRequest()
        }
        row("requestMail", "after `close`", .closed) {
            try $0.bob.device.close()
            try $0.bob.device.requestMail()
        }
    }

    func testMail() {
        row("batchDecrypt", "4,097 envelopes", .tooMany) {
            try $0.bob.device.batchDecrypt(envelopes: Array(repeating: Data(), count: Limits.maxBatch + 1))
        }
        for (mistake, bytes, code) in [("an empty envelope", Data(), Code.truncated), ("garbage", Data("garbage".utf8), .unsupportedVersion)] {
            shows("batchDecrypt", mistake, "refused, \(code)") { world in
                let result = try world.bob.device.batchDecrypt(envelopes: [bytes]).first
                return result?.outcome == .refused && result?.code == code && result?.keep == false
            }
        }
        shows("batchDecrypt", "no envelope", "no result") { try $0.bob.device.batchDecrypt(envelopes: []).isEmpty }
        shows("batchDecrypt", "an envelope twice", "opened, and a duplicate") { world in
            try world.bob.send(to: "alice", text: "x")
            let envelope = try world.alice.pushed()[0]
            return try world.alice.device.batchDecrypt(envelopes: [envelope, envelope]).map(\.outcome) == [.opened, .duplicate]
        }
        shows("batchDecrypt", "another device's envelope", "refused, wrongRecipient") { world in
            try world.bob.send(to: "alice", text: "x")
            let result = try world.bob.device.batchDecrypt(envelopes: try world.alice.pushed()).first
            return result?.outcome == .refused && result?.code == .wrongRecipient
        }
        shows("ack", "an id that is not there", "what is there stays") { world in
            try world.bob.send(to: "alice", text: "x")
            try world.alice.device.ack(ids: [4711])
            return try world.alice.read() == ["x"]
        }
        shows("ack", "never", "the items are there again when the device is opened") { world in
            let store = Store.memory()
            let carol = try world.join("carol", store)
            try world.bob.send(to: "carol", text: "x")
            try carol.device.requestMail()
            try carol.exchange()
            return texts(try Device.open(store: store, storeKey: key).inbox()) == ["x"]
        }
        shows("inbox", "an id beyond all", "no item") { try $0.bob.device.inbox(after: .max).isEmpty }
        shows("inbox", "a limit of 0", "no item") { world in
            try world.bob.send(to: "alice", text: "x")
            return try world.bob.device.inbox(limit: 0).isEmpty
        }
    }

    func testUsers() {
        row("devices", "a user who is not known", .unknownUser) { try $0.bob.device.registry().devices(user: "nobody") }
        row("markVerified", "a user who is not known", .unknownUser) { try $0.bob.device.registry().markVerified(user: "nobody") }
        row("safetyNumber", "a user who is not known", .unknownUser) { try $0.bob.device.registry().safetyNumber(user: "nobody") }
        row("safetyCode", "a user who is not known", .unknownUser) { try $0.bob.device.registry().safetyCode(user: "nobody") }
        row("acceptIdentity", "a user who is not known", .unknownUser) {
            try $0.bob.device.registry().acceptIdentity(user: "nobody", accountKey: AccountKey(Data(count: 32)))
        }
        row("acceptIdentity", "a key of 31 bytes", .invalidArgument) {
            try $0.bob.device.registry().acceptIdentity(user: "alice", accountKey: AccountKey(Data(count: 31)))
        }
        row("acceptIdentity", "a key that nobody claims", .invalidArgument) {
            try $0.bob.send(to: "alice", text: "x")
            try $0.bob.device.registry().acceptIdentity(user: "alice", accountKey: AccountKey(Data(repeating: 7, count: 32)))
        }
        row("compareSafetyCode", "a text that is no code", .invalidArgument) {
            try $0.bob.send(to: "alice", text: "x")
            return try $0.bob.device.registry().compareSafetyCode(user: "alice", code: "no code")
        }
        row("resolveFork", "a user who is not known", .unknownUser) {
            try $0.bob.device.registry().resolveFork(user: "nobody", hash: ListHash(Data(count: 32)))
        }
        row("resolveFork", "a user without a fork", .invalidArgument) {
            try $0.bob.send(to: "alice", text: "x")
            try $0.bob.device.registry().resolveFork(user: "alice", hash: ListHash(Data(count: 32)))
        }
        row("forget", "a user who is not known", .unknownUser) { try $0.bob.device.registry().forget(user: "nobody") }
        row("forget", "oneself", .invalidArgument) { try $0.bob.device.registry().forget(user: "bob") }
        row("lookUp", "101 users", .tooMany) { try $0.bob.device.registry().lookUp(users: (0...100).map { "u\($0)" }) }
        row("lookUp", "an empty user", .invalidArgument) { try $0.bob.device.registry().lookUp(users: [""]) }
        shows("lookUp", "a misspelled user", "the user is not among `users`") {
            try $0.bob.device.registry().lookUp(users: ["alicia"])
            try $0.bob.exchange()
            return try !$0.bob.device.registry().users().map(\.user).contains("alicia")
        }
        row("users", "after `close` of the device", .closed) {
            let registry = $0.bob.device.registry()
            try $0.bob.device.close()
            return try registry.users()
        }
    }

    private func group(_ world: World) throws -> Group {
        try world.bob.device.registry().lookUp(users: ["alice"])
        try world.bob.exchange()
        let group = try world.bob.device.createGroup(kind: .pairwise, info: GroupChange(name: "Trip"), users: ["alice"]).group()
        try world.bob.exchange()
        return group
    }

    func testGroups() {
        row("group", "an id of 31 bytes", .invalidArgument) { try $0.bob.device.group(id: GroupId(Data(count: 31))) }
        row("group", "a group that is not known", .unknownGroup) { try $0.bob.device.group(id: GroupId(Data(count: 32))) }
        row("createGroup", "a user who is not known", .unknownUser) {
            try $0.bob.device.createGroup(kind: .pairwise, info: GroupChange(), users: ["alice"])
        }
        row("createGroup", "a name of a megabyte", .invalidArgument) {
            try $0.bob.device.createGroup(kind: .pairwise, info: GroupChange(name: String(repeating: "x", count: 1 << 20)), users: [])
        }
        row("add", "a member", .alreadyMember) { try group($0).add(users: ["alice"]) }
        row("add", "a user who is not known", .unknownUser) { try group($0).add(users: ["carol"]) }
        row("add", "nobody", .emptyBatch) { try group($0).add(users: []) }
        row("add", "201 users", .tooMany) { try group($0).add(users: (0...200).map { "u\($0)" }) }
        row("send", "a payload of 65,537 bytes", .payloadTooLarge) { try group($0).send(payload: Data(count: Limits.maxPayload + 1)) }
        row("send", "a content id of 15 bytes", .invalidArgument) { try group($0).send(payload: text, contentId: ContentId(Data(count: 15))) }
        row("send", "after `leave`", .notAMember) {
            let group = try group($0)
            try group.leave()
            return try group.send(payload: text)
        }
        row("accept", "without an invitation", .notInvited) { try group($0).accept() }
        row("decline", "without an invitation", .notInvited) { try group($0).decline() }
        row("forkWithout", "a user who is no member", .invalidArgument) { try group($0).forkWithout(users: ["carol"]) }
        row("forget", "a group that one has not left", .alreadyMember) { try group($0).forget() }
        row("view", "after `forget`", .unknownGroup) {
            let group = try group($0)
            try group.leave()
            try $0.bob.exchange()
            try group.forget()
            return try group.view()
        }
    }

    private func linking(_ world: World) throws -> Linking {
        try Linking.begin(store: .memory(), storeKey: key, server: server, clock: world.clock)
    }

    func testDevices() {
        row("linkDevice", "a text that is no code", .linkMalformed) { try $0.alice.device.linkDevice(code: "no code") }
        row("linkDevice", "no text", .linkMalformed) { try $0.alice.device.linkDevice(code: "") }
        row("linkDevice", "a code without its last character", .linkMalformed) { world in
            try world.alice.device.linkDevice(code: String(try linking(world).code.dropLast()))
        }
        row("linkDevice", "a code twice", .linkUsed) { world in
            let linking = try linking(world)
            try world.alice.device.linkDevice(code: linking.code).cancel()
            return try world.alice.device.linkDevice(code: linking.code)
        }
        row("linkDevice", "a code of an hour ago", .linkExpired) { world in
            let linking = try linking(world)
            world.clock.advance(by: 60 * 60)
            return try world.alice.device.linkDevice(code: linking.code)
        }
        row("linkDevice", "a device that is not the primary", .notPrimary) { world in
            try world.link(world.alice).device.linkDevice(code: try linking(world).code)
        }
        row("Linking.respond", "a device's request", .foreignRequest) { world in
            let request = try begin(world)
            return try linking(world).respond(id: request.id, status: 200, body: nil)
        }
        row("Linking.release", "a device's request", .foreignRequest) { world in
            let request = try begin(world)
            return try linking(world).release(id: request.id)
        }
        row("Linking.confirm", "before there are digits", .invalidArgument) { try linking($0).confirm() }
        row("PendingLink.confirm", "after `cancel`", .linkUsed) { world in
            let pending = try world.alice.device.linkDevice(code: try linking(world).code)
            try pending.cancel()
            return try pending.confirm()
        }
        shows("Linking.device", "before the answer", "nil, and nothing due") { world in
            let linking = try linking(world)
            return try linking.device() == nil && !linking.expired()
        }
        shows("Linking", "never confirmed", "it is expired in the end") { world in
            let linking = try linking(world)
            world.clock.advance(by: 60 * 60)
            return try linking.expired()
        }
        row("adoptOwnList", "a list that does not wait", .invalidArgument) {
            try $0.alice.device.adoptOwnList(hash: ListHash(Data(count: 32)))
        }
        row("handOver", "to itself", .invalidArgument) { _ = try $0.alice.device.handOver(device: 1) }
        row("handOver", "a device that is not there", .unknownDevice) { _ = try $0.alice.device.handOver(device: 9) }
        row("handOver", "a device that is not the primary", .notPrimary) { world in
            _ = try world.link(world.alice).device.handOver(device: 1)
        }
        row("confirmHandover", "one that nobody offered", .handoverEnded) {
            try $0.alice.device.confirmHandover(handover: HandoverId(Data(count: 16)))
        }
        row("removeDevice", "a device that is not there", .unknownDevice) { try $0.alice.device.removeDevice(device: 9) }
        row("removeDevice", "the primary itself", .invalidArgument) { try $0.alice.device.removeDevice(device: 1) }
        row("removeDevice", "a device that is not the primary", .notPrimary) { world in
            try world.link(world.alice).device.removeDevice(device: 1)
        }
        row("setPush", "513 bytes", .invalidArgument) { try $0.alice.device.setPush(value: Data(count: 513)) }
        row("deleteAccount", "and sends afterwards", .deviceRemoved) { world in
            try world.bob.device.deleteAccount()
            return try world.bob.device.batchEncrypt(recipients: ["alice"], payload: text)
        }
    }
}
