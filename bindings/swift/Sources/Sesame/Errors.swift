/// What every kind of error has in common. The kinds say by whose fault it was: `catch SesameError.Store(let code, ...)`.
extension SesameError {
    /// A stable number, the same in every language.
    public var code: Int32 {
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

    private var parts: (code: Int32, reason: String, item: UInt32?, field: String?) {
        switch self {
        case let .App(code, reason, item, field), let .Peer(code, reason, item, field), let .Server(code, reason, item, field),
            let .Store(code, reason, item, field), let .Internal(code, reason, item, field):
            return (code, reason, item, field)
        }
    }
}
