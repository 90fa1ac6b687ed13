import Foundation

extension NewGroup {
    /// The group, and the send that tells its members.
    public var parts: (group: Group, send: PendingSend) {
        (group(), send())
    }
}

/// A link that the primary has begun: nothing is signed until `confirm`.
public struct PendingLink: Sendable {
    private let device: Device
    private let view: PendingLinkView

    init(_ device: Device, _ view: PendingLinkView) {
        (self.device, self.view) = (device, view)
    }

    /// The link's name.
    public var id: LinkId {
        view.id
    }

    /// 15 decimal digits. Show them, and go on only if the user sees the same ones on the new device.
    public var digits: String {
        view.digits
    }

    /// When the link can no longer be confirmed, by the new device's clock.
    public var expiresAt: Date {
        Date(timeIntervalSince1970: Double(view.expiresAt) / 1000)
    }

    /// The user has seen the same digits on both devices: the new device is put on the list. Gives its id. The next requests carry it out.
    public func confirm() throws -> UInt32 {
        try device.confirmLink(link: id)
    }

    /// Gives the link up, for example because the digits differ. Its code is never taken again.
    public func cancel() throws {
        try device.cancelLink(link: id)
    }
}

extension Device {
    /// On the primary: reads the code that a new device shows. Nothing is signed yet: show the digits, and call `confirm` once the user has seen the
    /// same ones on the new device.
    public func linkDevice(code: String) throws -> PendingLink {
        PendingLink(self, try pendingLink(code: code))
    }

    /// Runs `body` with this device, then closes it, whatever came of it.
    ///
    /// Without it the keys stay in memory, and the store open, as long as any handle of the device lives.
    public func useThenClose<Value>(_ body: (Device) throws -> Value) throws -> Value {
        let value: Value
        do {
            value = try body(self)
        } catch {
            try? close()
            throw error
        }
        try close()
        return value
    }
}

extension InboxItem: Identifiable {
    /// For `ack`.
    public var id: UInt64 {
        switch self {
        case let .message(id, _), let .event(id, _): return id
        }
    }

    /// What was said, if it is a message.
    public var message: Message? {
        if case let .message(_, content) = self { return content }
        return nil
    }

    /// What happened, if it is an event.
    public var event: Event? {
        if case let .event(_, content) = self { return content }
        return nil
    }
}

extension ServerRequest {
    /// The value of a header, such as `Sesame-Auth`.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

/// Runs the conformance suite against an app's store; `make` gives a fresh, empty one each time.
///
/// Gives the first claim that does not hold, in words, or nil when all do.
public func checkStore(_ make: @escaping @Sendable () throws -> any AppStore) throws -> String? {
    try checkStore(factory: Factory(make))
}

private final class Factory: StoreFactory {
    private let makes: @Sendable () throws -> any AppStore

    init(_ makes: @escaping @Sendable () throws -> any AppStore) {
        self.makes = makes
    }

    func make() throws -> any AppStore {
        try makes()
    }
}
