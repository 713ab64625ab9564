import CrowdCore
import CrowdEngine
import CrowdExpr

/// What differs between an event before and after a node, as the reference words it: fields of a structure are always there
/// and are updated, entries of a map come and go.
struct Changes {
    struct Field {
        var name: String
        /// As Go prints it.
        var value: String
        /// The same with the verb for texts, which the reference uses for the old value of whatever kind.
        var old: String
    }

    let after: [Field]
    private var created: [String] = []
    private var updated: [String] = []
    private var deleted: [String] = []
    let rows: [String]

    init(from before: [Field], to after: [Field]) {
        self.after = after
        let known = Dictionary(before.map { ($0.name, $0) }) { $1 }
        let names = Set(after.map(\.name))
        var rows: [String] = []
        for field in after {
            guard let old = known[field.name] else {
                created.append(field.name)
                rows.append("create \(field.name) : \(field.value)")
                continue
            }
            guard old.value != field.value else { continue }
            updated.append(field.name)
            rows.append("update \(field.name) : \(old.old) -> \(field.value)")
        }
        for field in before where !names.contains(field.name) {
            deleted.append(field.name)
            rows.append("delete \(field.name)")
        }
        self.rows = rows
    }

    /// How many fields came, changed and went; and whether this was the node that allowlisted the event.
    var summary: String {
        let counts = [("+", created.count), ("~", updated.count), ("-", deleted.count)].filter { $0.1 > 0 }
        let words = counts.map { "\($0.0)\($0.1)" } + (updated.contains("evt.Whitelisted") ? ["[whitelisted]"] : [])
        return words.isEmpty ? "unchanged" : words.joined(separator: " ")
    }

    // MARK: an event's fields

    /// In the order of the structure; nil is the event before anybody has touched it.
    static func fields(of event: EventDump?) -> [Field] {
        typealias Name = EventTypes.EventField
        var line: (any ValueObject)?
        if case .object(let object)? = event?.field(Name.line) { line = object }
        func own(_ index: Int) -> Value? { event?.field(index) }
        return [number("Type", own(Name.type)), number("ExpectMode", own(Name.expectMode))]
            + [truth("Whitelisted", own(Name.whitelisted)), text("WhitelistReason", own(Name.whitelistReason))]
            + [text("Stage", own(Name.stage))] + fields(ofLine: line)
            + entries("evt.Parsed", own(Name.parsed)) + entries("evt.Enriched", own(Name.enriched))
            + entries("evt.Unmarshaled", own(Name.unmarshaled))
            + [time("Time", own(Name.time)), text("StrTime", own(Name.strTime))]
            + [text("StrTimeFormat", own(Name.strTimeFormat)), text("MarshaledTime", own(Name.marshaledTime))]
            + [truth("Process", own(Name.process))] + entries("evt.Meta", own(Name.meta))
    }

    private static func fields(ofLine line: (any ValueObject)?) -> [Field] {
        typealias Name = EventTypes.LineField
        return [text("Line.Raw", line?.field(Name.raw)), text("Line.Src", line?.field(Name.source))]
            + [time("Line.Time", line?.field(Name.time))] + entries("evt.Line.Labels", line?.field(Name.labels))
            + [truth("Line.Process", line?.field(Name.process)), text("Line.Module", line?.field(Name.module))]
    }

    private static func text(_ name: String, _ value: Value?) -> Field {
        var text = ""
        if case .string(let string)? = value { text = String(string) }
        return Field(name: "evt.\(name)", value: text, old: text)
    }

    private static func number(_ name: String, _ value: Value?) -> Field {
        var number: Int64 = 0
        if case .int(let int)? = value { number = int }
        return Field(name: "evt.\(name)", value: "\(number)", old: "%!s(int=\(number))")
    }

    private static func truth(_ name: String, _ value: Value?) -> Field {
        var holds = false
        if case .bool(let bool)? = value { holds = bool }
        return Field(name: "evt.\(name)", value: "\(holds)", old: "%!s(bool=\(holds))")
    }

    private static func time(_ name: String, _ value: Value?) -> Field {
        var text = "0001-01-01 00:00:00 +0000 UTC"
        if case .time(let time)? = value { text = time.goString }
        return Field(name: "evt.\(name)", value: text, old: text)
    }

    /// The leaves below a name, keys sorted.
    private static func entries(_ name: String, _ value: Value?, depth: Int = 0) -> [Field] {
        guard let value, depth < 32 else { return [] }
        switch value {
        case .map(let map):
            return zip(map.keys, map.values).sorted { $0.0 < $1.0 }
                .flatMap { entries("\(name).\($0.0)", $0.1, depth: depth + 1) }
        case .list(let list):
            return list.items.enumerated().flatMap { entries("\(name).\($0.offset)", $0.element, depth: depth + 1) }
        case .string(let text): return [Field(name: name, value: String(text), old: String(text))]
        default:
            let text = Printing.plain(value)
            return [Field(name: name, value: text, old: text)]
        }
    }
}
