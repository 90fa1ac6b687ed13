import Foundation

/// What has a loop of requests: a device, and a new one that is being linked.
public protocol Requester: AnyObject, Sendable {
    /// The next request to the server, or nil when nothing is due now.
    func nextRequest() throws -> ServerRequest?
    /// Takes in the server's answer; status 0 says that none came.
    func respond(id: RequestId, status: UInt16, body: Bytes?) throws -> Answered
    /// Takes a request back that was not sent.
    func release(id: RequestId) throws
    /// Ends every pause: the network is there again.
    func retryNow() throws
    /// Seconds until `nextRequest` has something to give.
    func dueIn() throws -> TimeInterval
}

extension Device: Requester {}
extension Linking: Requester {}

/// What the answers to all requests of one exchange have said.
public struct Exchanged: Hashable, Sendable {
    /// New items of the inbox.
    public private(set) var items: [UInt64] = []
    /// Sends that changed.
    public private(set) var sends: Set<SendId> = []
    /// Why requests pause, in the order of the answers; empty when the server took everything.
    public private(set) var problems: [Code] = []

    mutating func add(_ answered: Answered) {
        items += answered.items
        sends.formUnion(answered.sends)
        if let problem = answered.problem { problems.append(problem) }
    }
}

extension Requester {
    /// Sends every request that is due, one after the other. It always ends, whatever the server answers.
    ///
    /// `transport` is a POST of the request's `body` to its `path` with its `headers`. What it throws counts as no answer: the requests pause, the
    /// loop goes on to its end, and then throws the first of these errors. What a server says is never an error; `problems` has it.
    @discardableResult
    public func exchange(_ transport: (ServerRequest) throws -> ServerAnswer) throws -> Exchanged {
        var (exchanged, failure) = (Exchanged(), (any Error)?.none)
        while let request = try nextRequest() {
            var answer: ServerAnswer?
            do {
                answer = try transport(request)
            } catch {
                failure = failure ?? error
            }
            exchanged.add(try respond(id: request.id, status: answer?.status ?? 0, body: answer?.body))
        }
        if let failure { throw failure }
        return exchanged
    }

    /// The same with a transport that is awaited. If the task is cancelled, the request is released, so that nothing pauses, and the loop ends with
    /// what the transport throws, or with a `CancellationError`.
    ///
    /// Calls of the device run where this is called; `DeviceActor.exchange` runs them on the actor's queue.
    @discardableResult
    public func exchange(_ transport: @Sendable (ServerRequest) async throws -> ServerAnswer) async throws -> Exchanged {
        try await exchanged(next: { try self.nextRequest() }, respond: { try self.respond(id: $0, status: $1, body: $2) }, release: { try self.release(id: $0) }, transport)
    }
}

/// The loop over calls that may be an actor's.
func exchanged(
    next: @Sendable () async throws -> ServerRequest?,
    respond: @Sendable (RequestId, UInt16, Bytes?) async throws -> Answered,
    release: @Sendable (RequestId) async throws -> Void,
    _ transport: @Sendable (ServerRequest) async throws -> ServerAnswer
) async throws -> Exchanged {
    var (exchanged, failure) = (Exchanged(), (any Error)?.none)
    try Task.checkCancellation()
    while let request = try await next() {
        var answer: ServerAnswer?
        do {
            answer = try await transport(request)
        } catch {
            if error is CancellationError || Task.isCancelled {
                try await release(request.id)
                throw error
            }
            failure = failure ?? error
        }
        exchanged.add(try await respond(request.id, answer?.status ?? 0, answer?.body))
        try Task.checkCancellation()
    }
    if let failure { throw failure }
    return exchanged
}
