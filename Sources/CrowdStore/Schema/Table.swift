/// A table as facts; each driver words it in its own SQL.
struct Table: Sendable {
    enum Kind: Sendable {
        /// 64 bits, as are all ids.
        case integer
        case integer32
        case real, text, bool, time, json
        /// For texts of any length.
        case longText
    }

    struct Column: Sendable {
        var name: String
        var kind: Kind
        var isNullable = false
        /// SQL text of the default value.
        var defaultValue: String?
        var isUnique = false
    }

    struct Reference: Sendable {
        enum Deletion: String, Sendable {
            case setNull = "SET NULL"
            case cascade = "CASCADE"
        }
        var name: String
        var column: String
        var table: String
        var onDelete: Deletion
    }

    struct Index: Sendable {
        var name: String
        var columns: [String]
    }

    var name: String
    var columns: [Column]
    /// A table without an `id` of its own has this key.
    var primaryKey: [String]?
    var references: [Reference] = []
    var indexes: [Index] = []
}

extension Table.Column {
    static func required(_ name: String, _ kind: Table.Kind, default value: String? = nil) -> Self {
        Self(name: name, kind: kind, defaultValue: value)
    }

    static func optional(_ name: String, _ kind: Table.Kind, default value: String? = nil) -> Self {
        Self(name: name, kind: kind, isNullable: true, defaultValue: value)
    }

    static func unique(_ name: String, _ kind: Table.Kind) -> Self { Self(name: name, kind: kind, isUnique: true) }
}

extension [Table.Column] {
    /// What nearly every table begins with.
    static let stamps: Self = [.required("created_at", .time), .required("updated_at", .time)]
    /// The numeric form of an address or range (protocol facts B.4).
    static let numericRange: Self = ["start_ip", "end_ip", "start_suffix", "end_suffix", "ip_size"]
        .map { .optional($0, .integer) }
    static let operatingSystem: Self = ["osname", "osfamily", "osversion", "featureflags"].map { .optional($0, .text) }
}
