extension NewGroup {
    /// The group, and what tells the others, to be submitted like any send.
    public var parts: (group: Group, send: PendingSend) {
        (group(), send())
    }
}

extension Device {
    /// Runs `body` with this device, then wipes its keys from memory, whatever came of it.
    ///
    /// Without it the keys live as long as any handle of the device.
    public func useThenWipe<Value>(_ body: (Device) throws -> Value) throws -> Value {
        let value: Value
        do {
            value = try body(self)
        } catch {
            try? wipe()
            throw error
        }
        try wipe()
        return value
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
