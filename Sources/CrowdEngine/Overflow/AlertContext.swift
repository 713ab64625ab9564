import CrowdCore
import CrowdExpr

/// Computes an alert's context: for each name the distinct values of its expressions over the alert's events
/// (engine facts E.7). Compiled once, immutable: workers share it.
final class AlertContext: Sendable {
    private let names: [(name: String, programs: [Program])]
    /// Longest value list, in bytes of its JSON.
    private let limit: Int
    /// Some expression looks at more of an event than its Meta and Enriched.
    let needsWholeEvents: Bool

    init(_ names: [(name: String, programs: [Program])], limit: Int) {
        self.names = names
        self.limit = limit
        needsWholeEvents = names.contains { $0.programs.contains(where: \.looksBeyondMeta) }
    }

    var isEmpty: Bool { names.isEmpty }

    /// The variables beside `evt`; only the web application firewall has a match and a request, so both are empty.
    static func declare(in environment: inout Environment) {
        environment.declare("match", .any)
        environment.declare("req", .any)
        environment.add([Function("JA4H", [.any], .string) { call throws(ValueError) in call.string("") }])
    }

    static var variables: [Value] {
        let request = MapValue()
        request.set(ByteSlice("Method"), .string(.empty))
        return [.map(MapValue()), .map(request)]
    }

    /// - Parameter machine: with an event of its own and `variables`.
    func items(_ events: [FrozenEvent], machine: Machine) -> [MetaItem] {
        var values = names.map { _ in [String]() }
        for event in events {
            ThawedEvent.load(event, into: machine.event)
            for (index, item) in names.enumerated() {
                for program in item.programs {
                    // An expression that fails for an event has nothing to say about it.
                    guard let value = try? program.value(on: machine) else { continue }
                    AlertContext.add(value, to: &values[index])
                }
            }
        }
        return zip(names, values).compactMap { item, values in
            values.isEmpty ? nil : MetaItem(key: item.name, value: text(values))
        }
    }

    private static func add(_ value: Value, to values: inout [String]) {
        switch value {
        case .null: break
        case .string(let text): add(String(text), to: &values)
        case .list(let list):
            for item in list.items {
                switch item {
                case .string, .int: add(item, to: &values)
                default: break
                }
            }
        default: add(Printing.plain(value), to: &values)
        }
    }

    private static func add(_ text: String, to values: inout [String]) {
        // No list that long could be sent.
        guard !text.isEmpty, values.count < 4_000, !values.contains(text) else { return }
        values.append(text)
    }

    /// A JSON list of at most `limit` bytes: values are left out from the end, a single one is halved until it fits.
    private func text(_ values: [String]) -> String {
        var values = values
        var json = AlertContext.json(values)
        while json.utf8.count > limit, values.count > 1 {
            values.removeLast()
            json = AlertContext.json(values)
        }
        while json.utf8.count > limit, let value = values.first, value.utf8.count > 4 {
            let whole = value.hasSuffix("...") ? value.dropLast(3) : Substring(value)
            values = [String(decoding: whole.utf8.prefix(whole.utf8.count / 2), as: UTF8.self) + "..."]
            json = AlertContext.json(values)
        }
        return json
    }

    /// As Go writes it: `<`, `>` and `&` are escaped too.
    private static func json(_ values: [String]) -> String {
        var writer = JSONWriter()
        writer.beginArray()
        for value in values { writer.string(value) }
        writer.endArray()
        var escaped: [UInt8] = []
        escaped.reserveCapacity(writer.bytes.count)
        for byte in writer.bytes {
            switch byte {
            case UInt8(ascii: "<"): escaped += "\\u003c".utf8
            case UInt8(ascii: ">"): escaped += "\\u003e".utf8
            case UInt8(ascii: "&"): escaped += "\\u0026".utf8
            default: escaped.append(byte)
            }
        }
        return String(decoding: escaped, as: UTF8.self)
    }
}
