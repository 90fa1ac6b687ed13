/// A device behind an actor: calls come one at a time, away from the caller's executor, and an app awaits them.
///
/// A call computes and writes to the store. It cannot be stopped half way: a task that is cancelled meanwhile still brings it to its end, and
/// nothing is lost by that, for what was encrypted is in `outbox` and what was received in `inbox` until `ack`.
public actor DeviceActor {
    /// The device itself; any thread may call it.
    public nonisolated let device: Device

    /// Takes over a device that was created, opened or linked.
    public init(_ device: Device) {
        self.device = device
    }

    /// Runs any calls of the device, or of the handles that it gives, as one step of the actor.
    public func perform<Value: Sendable>(_ calls: @Sendable (Device) throws -> Value) rethrows -> Value {
        try calls(device)
    }

    /// See `Device.batchEncrypt`.
    public func batchEncrypt(recipients: [String], payload: Bytes, contentId: Bytes? = nil) throws -> PendingSend {
        try device.batchEncrypt(recipients: recipients, payload: payload, contentId: contentId)
    }

    /// See `Device.batchDecrypt`.
    public func batchDecrypt(envelopes: [Bytes]) throws -> [Received] {
        try device.batchDecrypt(envelopes: envelopes)
    }

    /// See `Device.pending`.
    public func pending(send: Bytes) throws -> PendingSend? {
        try device.pending(send: send)
    }

    /// See `Device.outbox`.
    public func outbox() throws -> [PendingSend] {
        try device.outbox()
    }

    /// See `Device.accepted`.
    public func accepted(send: Bytes, user: String) throws {
        try device.accepted(send: send, user: user)
    }

    /// See `Device.rejected`.
    public func rejected(send: Bytes, user: String, deviceList: Bytes) throws -> PendingSend {
        try device.rejected(send: send, user: user, deviceList: deviceList)
    }

    /// See `Device.noSuchUser`.
    public func noSuchUser(send: Bytes, user: String) throws -> PendingSend {
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
    public func published(id: Bytes) throws {
        try device.published(id: id)
    }

    /// See `Device.tick`.
    public func tick(mailboxEmpty: Bool = false) throws -> [Event] {
        try device.tick(mailboxEmpty: mailboxEmpty)
    }
}
