// One device that is told what to do over standard input: `tests/story/README.md`, "Peers".

import Foundation
import Sesame

private let key = Data(repeating: 0x5a, count: 32)

private func hex(_ bytes: Data) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
}

private func bytes(_ hex: Substring) -> Data {
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
            device = try Device.create(store: try Store.sqlite(path: String(words[1])), storeKey: key, user: String(words[0]))
            return ["\(open.id)"]
        case "open":
            device = try Device.open(store: try Store.sqlite(path: String(words[0])), storeKey: key)
            return ["\(open.id)"]
        case "close":
            try open.wipe()
            device = nil
            return []
        case "publication":
            return try open.publication().map { [hex($0.id.data), hex($0.bytes)] } ?? []
        case "published":
            try open.published(id: PublicationId(bytes(words[0])))
            return []
        case "encrypt":
            _ = try open.batchEncrypt(recipients: words[0].split(separator: ",").map(String.init), payload: bytes(words[1]))
            return []
        case "outbox":
            return try open.outbox().flatMap(waiting)
        case "accepted":
            try open.accepted(send: SendId(bytes(words[0])), user: String(words[1]))
            return []
        case "apply":
            let found = words.map { $0.split(separator: ":") }
            let of = { (kind: Substring) in found.filter { $0[0] == kind }.map { bytes($0[1]) } }
            let answers = Answers(deviceLists: of("list"), bundles: of("bundle"), withoutBundle: [], unknownUsers: [])
            return try open.registry().apply(answers: answers).refusals.map { "\($0.code.rawValue)" }
        case "decrypt":
            return try decrypt(words.map(bytes))
        default:
            fatalError("no such verb: \(verb)")
        }
    }

    private func waiting(_ send: PendingSend) -> [String] {
        let batches = send.batches.map { batch in
            precondition(batch.skips.isEmpty && !batch.targeted)
            let envelopes = batch.envelopes.map { "\($0.device)=\(hex($0.envelope))" }.joined(separator: ",")
            return "batch:\(hex(send.id.data)):\(batch.user):\(envelopes)"
        }
        return batches
            + send.needs.map { need in
                switch need {
                case let .deviceList(user): return "list:\(user)"
                case let .bundle(user, device): return "bundle:\(user):\(device)"
                default: fatalError("no peer needs \(need)")
                }
            }
    }

    private func decrypt(_ envelopes: [Data]) throws -> [String] {
        var (said, ids) = ([String](), [UInt64]())
        for result in try open.batchDecrypt(envelopes: envelopes) {
            switch result {
            case let .message(_, id, content):
                said.append("\(content.user):\(hex(content.payload))")
                ids.append(id)
            case let .event(_, id, _): ids.append(id)
            case .duplicate: said.append("duplicate")
            case let .failure(_, _, code, _, _): said.append("failure:\(code.rawValue)")
            case .held: said.append("held")
            }
        }
        try open.ack(ids: ids)
        return said
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
