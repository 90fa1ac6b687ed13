import Foundation
import Sesame
import XCTest

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

func pump(_ device: Device, _ transport: (ServerRequest) throws -> ServerAnswer) throws {
    while let request = try device.nextRequest() {
        let answer = try? transport(request)
        try device.respond(id: request.id, status: answer?.status ?? 0, body: answer?.body)
    }
}

func post(_ request: ServerRequest) async throws -> ServerAnswer {
    var http = URLRequest(url: URL(string: "https://chat.example" + request.path)!)
    http.httpMethod = "POST"
    http.httpBody = request.body
    for header in request.headers { http.setValue(header.value, forHTTPHeaderField: header.name) }
    let (body, response) = try await URLSession.shared.data(for: http)
    return ServerAnswer(status: UInt16((response as! HTTPURLResponse).statusCode), body: body)
}

/// What the README prints is what is compiled here, and in `cargo xtask test`.
final class ReadmeTests: XCTestCase {
    func testTheReadmePrintsTheseFunctions() throws {
        let here = URL(fileURLWithPath: #filePath)
        let ours = try String(contentsOf: here, encoding: .utf8)
        let page = here.deletingLastPathComponent().appendingPathComponent("../../README.md")
        let blocks = try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```swift\n").dropFirst()
        let functions = blocks.compactMap { $0.components(separatedBy: "```").first }.filter { $0.hasPrefix("func ") }
        XCTAssertEqual(functions.count, 2)
        for function in functions { XCTAssertTrue(ours.contains(function), function) }
    }

    func testTheLoopOfTheReadmeSends() throws {
        let world = try World()
        try world.bob.device.batchEncrypt(recipients: ["alice"], payload: Data("x".utf8))
        try pump(world.bob.device) { _ in throw CocoaError(.fileNoSuchFile) }
        try world.bob.device.retryNow()
        try pump(world.bob.device) { world.relay.perform(request: $0) }
        XCTAssertEqual(try world.alice.read(), ["x"])
    }
}
