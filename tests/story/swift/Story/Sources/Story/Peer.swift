// One device that is told what to do over standard input: `tests/story/README.md`, "Peers".

import Foundation
import Sesame

private func hex(_ bytes: Data) -> String {
    bytes.isEmpty ? "-" : bytes.map { String(format: "%02x", $0) }.joined()
}

private func bytes(_ hex: Substring) -> Data {
    if hex == "-" { return Data() }
    let digits = hex.utf8.map { $0 < UInt8(ascii: "a") ? $0 - UInt8(ascii: "0") : $0 - UInt8(ascii: "a") + 10 }
    return Data(stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] })
}

struct Peer {
    private var device: Device?

    private var open: Device {
        device!
    }

    mutating func answer(_ verb: Substring, _ words: [Substring]) throws -> [String] {
        switch verb {
        case "create":
            let store = try Store.sqlite(path: String(words[2]))
            device = try Device.create(store: store, storeKey: key, user: String(words[0]), server: String(words[1]))
            return ["\(open.id)"]
        case "open":
            device = try Device.open(store: try Store.sqlite(path: String(words[0])), storeKey: key)
            return ["\(open.id)"]
        case "close":
            try open.close()
            device = nil
            return []
        case "encrypt":
            try open.batchEncrypt(recipients: words[0].split(separator: ",").map(String.init), payload: bytes(words[1]))
            return []
        case "next":
            guard let request = try open.nextRequest() else { return [] }
            return [hex(request.id.data), request.path, request.header("Sesame-Auth") ?? "-", hex(request.body)]
        case "respond":
            let answered = try open.respond(id: RequestId(bytes(words[0])), status: UInt16(words[1])!, body: bytes(words[2]))
            return answered.problem.map { ["\($0.rawValue)"] } ?? []
        case "mail":
            try open.requestMail(limit: UInt32(words[0])!)
            return []
        case "inbox":
            let items = try open.inbox(limit: 1000)
            try open.ack(ids: items.map(\.id))
            return items.compactMap(said)
        default:
            fatalError("no such verb: \(verb)")
        }
    }

    private func said(_ item: InboxItem) -> String? {
        switch item {
        case let .message(_, content): return "\(content.user):\(hex(content.payload))"
        case let .event(_, .notOpened(_, _, code)): return "not-opened:\(code.rawValue)"
        case let .event(_, .sendFinished(_, _, _, _, failed, _)): return failed.first.map { "failed:\($0.code.rawValue)" }
        case .event: return nil
        }
    }
}

func runPeer() throws {
    var peer = Peer()
    while let line = readLine() {
        let words = line.split(separator: " ")
        do {
            print((["ok"] + (try peer.answer(words[0], Array(words.dropFirst())))).joined(separator: " "))
        } catch let error as SesameError {
            print("error \(error.code.rawValue)")
        }
        fflush(nil)
    }
}
