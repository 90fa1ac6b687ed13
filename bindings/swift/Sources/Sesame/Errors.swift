import Foundation

/// What every kind of error has in common. The kinds say by whose fault it was: `catch SesameError.store(let code, ...)`.
extension SesameError {
    /// What went wrong; its `rawValue` is the same number in every language.
    public var code: Code {
        parts.code
    }

    /// What happened, in words that hold no secret and no peer's bytes.
    public var reason: String {
        parts.reason
    }

    /// Which item of a list it is about, from 0.
    public var item: UInt32? {
        parts.item
    }

    /// Which argument it is about.
    public var field: String? {
        parts.field
    }

    /// For an error of the store: its path with the system's cause, or what the app's own store threw.
    public var detail: String? {
        parts.detail
    }

    private var parts: (code: Code, reason: String, item: UInt32?, field: String?, detail: String?) {
        switch self {
        case let .app(code, reason, item, field, detail), let .peer(code, reason, item, field, detail),
            let .server(code, reason, item, field, detail), let .store(code, reason, item, field, detail),
            let .internal(code, reason, item, field, detail):
            return (code, reason, item, field, detail)
        }
    }
}

extension StoreFault: LocalizedError {
    /// One sentence.
    public var errorDescription: String? {
        switch self {
        case .busy: return "The store is locked."
        case .io: return "The store failed to read or write."
        case .full: return "The store is full."
        case .readOnly: return "The store is read-only."
        case .conflict: return "The generation has moved on."
        case .outcomeUnknown: return "It is unknown whether the commit landed."
        case let .thrown(what): return what
        }
    }
}

extension SesameError: LocalizedError {
    /// Name, number, reason and detail in one sentence.
    public var errorDescription: String? {
        description
    }
}

extension Code {
    /// The code of a number; one that these bindings do not know is an error of the library.
    static func known(_ number: Int32) -> Code {
        Code(rawValue: number) ?? .internal
    }

    /// The same, and 0 is none.
    static func problem(_ number: Int32) -> Code? {
        number == 0 ? nil : known(number)
    }
}
