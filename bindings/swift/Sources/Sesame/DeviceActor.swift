import Dispatch

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
        try calls(device)
    }

    /// See `Device.batchEncrypt`.
    public func batchEncrypt(recipients: [String], payload: Bytes, contentId: ContentId? = nil) throws -> PendingSend {
        try device.batchEncrypt(recipients: recipients, payload: payload, contentId: contentId)
    }

    /// See `Device.batchDecrypt`.
    public func batchDecrypt(envelopes: [Bytes]) throws -> [Received] {
        try device.batchDecrypt(envelopes: envelopes)
    }

    /// See `Device.pending`.
    public func pending(send: SendId) throws -> PendingSend? {
        try device.pending(send: send)
    }

    /// See `Device.outbox`.
    public func outbox() throws -> [PendingSend] {
        try device.outbox()
    }

    /// See `Device.accepted`.
    public func accepted(send: SendId, user: String) throws {
        try device.accepted(send: send, user: user)
    }

    /// See `Device.rejected`.
    public func rejected(send: SendId, user: String, deviceList: Bytes) throws -> PendingSend {
        try device.rejected(send: send, user: user, deviceList: deviceList)
    }

    /// See `Device.noSuchUser`.
    public func noSuchUser(send: SendId, user: String) throws -> PendingSend {
        try device.noSuchUser(send: send, user: user)
    }

    /// See `DeviceRegistry.apply`.
    public func apply(answers: Answers) throws -> Applied {
        try device.registry().apply(answers: answers)
    }

    /// See `Device.inbox`.
    public func inbox() throws -> [Received] {
        try device.inbox()
    }

    /// See `Device.ack`.
    public func ack(ids: [UInt64]) throws {
        try device.ack(ids: ids)
    }

    /// See `Device.publication`.
    public func publication(left: UInt32? = nil) throws -> Publication? {
        try device.publication(left: left)
    }

    /// See `Device.published`.
    public func published(id: PublicationId) throws {
        try device.published(id: id)
    }

    /// See `Device.tick`.
    public func tick(mailboxEmpty: Bool = false) throws -> [Event] {
        try device.tick(mailboxEmpty: mailboxEmpty)
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
