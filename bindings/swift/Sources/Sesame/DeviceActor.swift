import Dispatch
import Foundation

/// A device behind an actor: calls come one at a time, on a queue of the actor's own, and an app awaits them.
///
/// A call computes, writes to the store, and may wait for another process that holds it; so it runs neither on the main thread nor on
/// Swift's cooperative pool. It cannot be stopped half way: a task that is cancelled meanwhile still gets what the call gave.
///
/// The calls that an app makes all day are here; everything else goes through `perform`.
@available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
public actor DeviceActor {
    /// The device itself; any thread may call it.
    public nonisolated let device: Device
    nonisolated let own = OwnQueue()
    private var waiters = Waiters()

    /// The queue that the calls run on.
    public nonisolated var unownedExecutor: UnownedSerialExecutor {
        own.asUnownedSerialExecutor()
    }

    /// Takes over a device that was created, opened or linked.
    public init(_ device: Device) {
        self.device = device
    }

    /// Runs any calls of the device, or of the handles that it gives, as one step of the actor.
    public func perform<Value: Sendable>(_ calls: @Sendable (Device) throws -> Value) rethrows -> Value {
        defer { waiters.wake() }
        return try calls(device)
    }

    /// Sends every request that is due; see `Requester.exchange`. Other calls may come between two requests.
    @discardableResult
    public nonisolated func exchange(
        _ transport: @Sendable (ServerRequest) async throws -> ServerAnswer
    ) async throws -> Exchanged {
        try await exchanged(
            next: { try await self.nextRequest() },
            respond: { try await self.respond(id: $0, status: $1, body: $2) },
            release: { id in try await self.perform { try $0.release(id: id) } },
            transport
        )
    }

    /// See `Device.nextRequest`.
    public func nextRequest() throws -> ServerRequest? {
        try perform { try $0.nextRequest() }
    }

    /// See `Device.respond`.
    public func respond(id: RequestId, status: UInt16, body: Bytes? = nil) throws -> Answered {
        try perform { try $0.respond(id: id, status: status, body: body) }
    }

    /// See `Device.requestMail`.
    public func requestMail(limit: UInt32 = 10_000) throws {
        try perform { try $0.requestMail(limit: limit) }
    }

    /// See `Device.retryNow`.
    public func retryNow() throws {
        try perform { try $0.retryNow() }
    }

    /// See `Device.dueIn`.
    public func dueIn() throws -> TimeInterval {
        try device.dueIn()
    }

    /// See `Device.health`.
    public func health() throws -> Health {
        try device.health()
    }

    /// See `Device.batchEncrypt`.
    public func batchEncrypt(recipients: [String], payload: Bytes, contentId: ContentId? = nil) throws -> PendingSend {
        try perform { try $0.batchEncrypt(recipients: recipients, payload: payload, contentId: contentId) }
    }

    /// See `Device.sendStatus`.
    public func sendStatus(send: SendId) throws -> SendStatus? {
        try device.sendStatus(send: send)
    }

    /// See `Device.sends`.
    public func sends() throws -> [SendStatus] {
        try device.sends()
    }

    /// See `Device.cancel`.
    public func cancel(send: SendId, users: [String]? = nil) throws {
        try perform { try $0.cancel(send: send, users: users) }
    }

    /// See `Device.retry`.
    public func retry(send: SendId) throws {
        try perform { try $0.retry(send: send) }
    }

    /// See `Device.batchDecrypt`.
    public func batchDecrypt(envelopes: [Bytes], complete: Bool = false) throws -> [MailResult] {
        try perform { try $0.batchDecrypt(envelopes: envelopes, complete: complete) }
    }

    /// See `Device.inbox`.
    public func inbox(after: UInt64 = 0, limit: UInt32 = 256) throws -> [InboxItem] {
        try device.inbox(after: after, limit: limit)
    }

    /// See `Device.ack`.
    public func ack(ids: [UInt64]) throws {
        try perform { try $0.ack(ids: ids) }
    }

    /// See `Device.setMemoryLimit`.
    public func setMemoryLimit(limit: UInt64) throws {
        try device.setMemoryLimit(limit: limit)
    }

    /// See `Device.close`. Sequences of items end.
    public func close() throws {
        try perform { try $0.close() }
    }

    /// What waits in the inbox after one item, oldest first, and then what comes through calls of this actor, until the task is cancelled or the
    /// device closed. Nothing is acked by itself.
    public nonisolated func items(after: UInt64 = 0) -> InboxItems {
        InboxItems(device: self, after: after)
    }

    /// The next items, once there are some; none when the task is cancelled or the device closed.
    func page(after: UInt64) async throws -> [InboxItem] {
        while !Task.isCancelled {
            let known = waiters.calls
            do {
                let items = try device.inbox(after: after, limit: 256)
                if !items.isEmpty { return items }
            } catch let error as SesameError where error.code == .closed {
                return []
            }
            await change(since: known)
        }
        return []
    }

    /// Waits for a call that may have changed the inbox, or for the end of the task.
    private func change(since known: UInt64) async {
        let id = waiters.next()
        await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                if waiters.calls != known || Task.isCancelled { waiter.resume() } else { waiters.waiting[id] = waiter }
            }
        } onCancel: {
            Task { await self.stop(id) }
        }
    }

    private func stop(_ id: UInt64) {
        waiters.waiting.removeValue(forKey: id)?.resume()
    }
}

/// Who waits for items, and how many calls there were that may have brought some.
@available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
private struct Waiters {
    var calls: UInt64 = 0
    var waiting: [UInt64: CheckedContinuation<Void, Never>] = [:]
    private var last: UInt64 = 0

    mutating func next() -> UInt64 {
        last += 1
        return last
    }

    mutating func wake() {
        calls += 1
        waiting.values.forEach { $0.resume() }
        waiting = [:]
    }
}

/// The items of a device's inbox: `for try await item in device.items()`.
@available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
public struct InboxItems: AsyncSequence, Sendable {
    public typealias Element = InboxItem

    let device: DeviceActor
    let after: UInt64

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(device: device, after: after)
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let device: DeviceActor
        var after: UInt64
        var page: ArraySlice<InboxItem> = []

        public mutating func next() async throws -> InboxItem? {
            if page.isEmpty { page = try await device.page(after: after)[...] }
            guard let item = page.popFirst() else { return nil }
            after = item.id
            return item
        }
    }
}

@available(macOS 14, iOS 17, tvOS 17, watchOS 10, *)
final class OwnQueue: SerialExecutor {
    let queue = DispatchQueue(label: "sesame.device")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
