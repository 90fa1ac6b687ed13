import Foundation
import Sesame

/// What stands between a device and its relay.
struct Path {
    var relay: LocalRelay
    /// How every request of the next exchange is answered; never, if the status is below 0.
    var trouble: (status: Int, body: Data)?
    /// The kind of requests that always get the same answer, and that answer once it came.
    var replay = ""
    var replayed: ServerAnswer?

    mutating func perform(_ request: ServerRequest) -> ServerAnswer {
        let isReplayed = "\(request.kind)" == replay
        if isReplayed, let replayed { return replayed }
        let answer = relay.perform(request: request)
        if isReplayed { replayed = answer }
        return answer
    }
}

extension Scene {
    /// The whole loop of a device.
    func exchange(_ host: Host) throws {
        let trouble = host.path.trouble
        host.path.trouble = nil
        while let request = try host.device.nextRequest() {
            say(line(request))
            var answer: ServerAnswer
            if let trouble {
                if trouble.status < 0 {
                    say("  unanswered")
                    continue
                }
                answer = ServerAnswer(status: UInt16(trouble.status), body: trouble.body)
            } else {
                answer = host.path.perform(request)
            }
            try respond(host.device, request, answer)
        }
    }

    /// The loop of a new device that is being linked.
    func exchange(_ linking: Linking, _ relay: LocalRelay) throws {
        while let request = try linking.nextRequest() {
            say(line(request))
            try respond(linking, request, relay.perform(request: request))
        }
    }

    private func respond(_ to: some Requester, _ request: ServerRequest, _ answer: ServerAnswer) throws {
        say(line(answer.status, try to.respond(id: request.id, status: answer.status, body: answer.body)))
    }

    /// A step that sends.
    func sends(_ host: Host, _ send: PendingSend) throws {
        say(line(send))
        host.last = send
        try exchange(host)
        try sayStatus(host)
    }

    private func sayStatus(_ host: Host) throws {
        guard let send = host.last, let status = try host.device.sendStatus(send: send.id) else { return say("gone") }
        lines(status).forEach(say)
    }

    func actOnTheLoop(_ step: Step) throws -> Bool {
        switch step.text("do") {
        case "exchange": try exchange(host(step))
        case "request_mail": try device(step).requestMail(limit: UInt32(step.number("number")))
        case "answer_twice":
            let host = host(step)
            try host.device.requestMail(limit: 1)
            let request = try host.device.nextRequest()!
            say(line(request))
            let answer = host.path.perform(request)
            try respond(host.device, request, answer)
            try respond(host.device, request, answer)
        case "foreign":
            let of = hosts[step.text("of")]!.device
            try of.requestMail(limit: 1)
            let request = try of.nextRequest()!
            try sayOutcome { try device(step).respond(id: request.id, status: 200) }
            try of.release(id: request.id)
        case "trouble": host(step).path.trouble = (step.number("status"), Data(step.text("body").utf8))
        case "replay":
            host(step).path.replay = step.text("kind")
            host(step).path.replayed = nil
        case "retry_now": try device(step).retryNow()
        case "move": host(step).path.relay = try relay(step)
        case "health": say(line(try device(step).health()))
        default: return false
        }
        return true
    }

    func actOnSends(_ step: Step) throws -> Bool {
        let host = step.has("device") ? host(step) : nil
        let none = SendId(Data(count: 16))
        switch step.text("do") {
        case "encrypt": try encrypt(host!, step, Data(step.text("text").utf8))
        case "encrypt_long": try encrypt(host!, step, Data(repeating: UInt8(ascii: "x"), count: step.number("number")))
        case "encrypt_crowd":
            let crowd = (0..<step.number("number")).map { "u\($0)" }
            host!.last = try host!.device.batchEncrypt(recipients: crowd, payload: Data(step.text("text").utf8))
            say(line(host!.last!))
        case "send": try sends(host!, try encrypted(host!, step, Data(step.text("text").utf8)))
        case "session_send":
            let session = try host!.device.session(user: step.text("user"), device: UInt32(step.number("number")))
            try sends(host!, try session.encrypt(payload: Data(step.text("text").utf8)))
        case "session_reset":
            try host!.device.session(user: step.text("user"), device: UInt32(step.number("number"))).reset()
            try exchange(host!)
        case "batches": sayAll(try host!.device.batches(send: host!.last?.id ?? none).map(line))
        case "status": sayAll(try host!.device.sends().flatMap(lines))
        case "cancel":
            let users = step.texts("users")
            try host!.device.cancel(send: host!.last?.id ?? none, users: users.isEmpty ? nil : users)
            try sayStatus(host!)
        case "retry":
            try host!.device.retry(send: host!.last?.id ?? none)
            try sayStatus(host!)
        default: return false
        }
        return true
    }

    private func encrypted(_ host: Host, _ step: Step, _ payload: Data) throws -> PendingSend {
        let content = step.text("content")
        let id = content.isEmpty ? nil : ContentId(Data(content.utf8))
        return try host.device.batchEncrypt(recipients: step.texts("to"), payload: payload, contentId: id)
    }

    private func encrypt(_ host: Host, _ step: Step, _ payload: Data) throws {
        let send = try encrypted(host, step, payload)
        host.last = send
        say(line(send))
    }
}
