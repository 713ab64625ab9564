/// Why the database could not do what was asked; `message` is the driver's own text, for our log only.
public struct StoreError: Error, Equatable, Sendable {
    public enum Kind: Sendable {
        /// Another process held the lock for longer than the busy timeout.
        case busy
        case diskFull
        case inputOutput
        /// A unique or foreign key refused the row.
        case constraint
        /// A value is longer than a row or an index holds, or none that its column knows.
        case unfit
        case corrupt
        case readOnly
        /// The file cannot be opened, or its schema is not one we know.
        case unusable
        /// A table or column is missing, or is another than it was: a program of another version was here.
        case outdated
        /// The server cannot be reached, or the connection was lost: what was under way may or may not be done.
        case unavailable
        /// The store is closing; nothing was written.
        case closed
        case other
    }

    public var kind: Kind
    public var message: String

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    /// The database will never take that row, and takes others.
    public var isAboutTheRow: Bool { kind == .constraint || kind == .unfit }
}

extension StoreError: CustomStringConvertible {
    public var description: String { "\(label): \(message)" }

    /// The kind in words.
    public var label: String {
        switch kind {
        case .busy: "database is locked"
        case .diskFull: "disk is full"
        case .inputOutput: "disk input/output error"
        case .constraint: "constraint failed"
        case .unfit: "value does not fit"
        case .corrupt: "database is damaged"
        case .readOnly: "database is read-only"
        case .unusable: "database cannot be used"
        case .outdated: "database has another form"
        case .unavailable: "database cannot be reached"
        case .closed: "database is closed"
        case .other: "database error"
        }
    }
}
