import CrowdCore

/// Which fields of a structure a dump has, under which names: those of the reference's YAML.
enum DumpForm {
    /// A field, its name, and whether it stays when it is empty.
    private typealias Row = (field: Int, name: String, always: Bool)

    private static let event: [Row] = {
        typealias Field = EventTypes.EventField
        return [
            (Field.type, "Type", false), (Field.expectMode, "ExpectMode", false),
            (Field.whitelisted, "Whitelisted", false), (Field.whitelistReason, "WhitelistReason", false),
            (Field.stage, "Stage", false), (Field.line, "Line", false), (Field.parsed, "Parsed", false),
            (Field.enriched, "Enriched", false), (Field.unmarshaled, "Unmarshaled", false),
            (Field.overflow, "Overflow", false), (Field.time, "Time", false), (Field.strTime, "StrTime", false),
            (Field.strTimeFormat, "StrTimeFormat", false), (Field.marshaledTime, "MarshaledTime", false),
            (Field.process, "Process", false), (Field.meta, "Meta", false),
        ]
    }()

    private static let line: [Row] = {
        typealias Field = EventTypes.LineField
        return [
            (Field.raw, "Raw", false), (Field.source, "Src", false), (Field.time, "time", true),
            (Field.labels, "Labels", false), (Field.process, "process", true), (Field.module, "Module", false),
        ]
    }()

    private static let overflow: [Row] = [
        (0, "MapKey", false), (1, "BucketId", false), (2, "Whitelisted", false), (3, "Reprocess", false),
        (4, "Sources", false), (5, "Alert", false), (6, "APIAlerts", false),
    ]

    static func members(of object: any ValueObject) -> [(String, Value)] {
        guard !(object is EmptyObject) else { return [] }
        guard let rows = rows(object.type) else {
            // Structures of the wire models have no names of their own for YAML: Go's in lower case, and nothing is left out.
            return object.type.fieldNames.compactMap { name in object.type.field(named: name).map { (name, $0.index) } }
                .sorted { $0.1 < $1.1 }.map { ($0.0.lowercased(), object.field($0.1)) }
        }
        return rows.compactMap { row in
            let value = object.field(row.field)
            return row.always || !isEmpty(value) ? (row.name, value) : nil
        }
    }

    private static func rows(_ type: ObjectType) -> [Row]? {
        if type === EventTypes.event { return event }
        if type === EventTypes.line { return line }
        return type === EventTypes.overflow ? overflow : nil
    }

    /// Go's zero values.
    private static func isEmpty(_ value: Value) -> Bool {
        switch value {
        case .null: true
        case .bool(let holds): !holds
        case .int(let number): number == 0
        case .float(let number): number == 0
        case .string(let text): text.count == 0
        case .list(let list): list.items.isEmpty
        case .map(let map): map.count == 0
        case .time(let time): time.nanoseconds == 0
        case .duration(let span): span == .zero
        case .object(let object): isEmptyLine(object) || object is EmptyObject
        }
    }

    /// An overflow came with no line.
    private static func isEmptyLine(_ object: any ValueObject) -> Bool {
        guard object.type === EventTypes.line, case .string(let module) = object.field(EventTypes.LineField.module)
        else {
            return false
        }
        return module.count == 0
    }
}
