import CrowdCore

/// What many decisions share: interned once, named by number in each.
struct DecisionKind: Hashable, Sendable {
    var origin: String
    var type: String
    var scope: String
    var scenario: String
}

/// The kinds in use, each with its JSON written once and a count of its active decisions.
///
/// What changes with every decision is kept apart from the entries, so that a snapshot of those is not copied for it: there may
/// be as many kinds as an imported list gives reasons.
struct DecisionKinds: Sendable {
    struct Entry: Sendable {
        var kind: DecisionKind
        /// The scenario in lower case: `scenarios_containing` ignores case.
        var lowerScenario: String
        /// `,"origin":"…","scenario":"…","scope":"…","type":"…"`
        var json: [UInt8]
    }

    private struct Count {
        var uses = 0
        var active = 0
    }

    private var numbers: [DecisionKind: UInt32] = [:]
    private(set) var entries = PagedArray<Entry>()
    private var counts = PagedArray<Count>()
    private var free: [UInt32] = []

    subscript(number: UInt32) -> Entry { entries[Int(number)] }

    /// Those that have active decisions.
    var active: [(kind: DecisionKind, count: Int)] {
        (0..<entries.count).filter { counts[$0].active > 0 }.map { (entries[$0].kind, counts[$0].active) }
    }

    /// The number of a kind, with one more use counted.
    mutating func use(_ kind: DecisionKind) -> UInt32 {
        if let number = numbers[kind] {
            counts[Int(number)].uses += 1
            return number
        }
        let entry = Entry(kind: kind, lowerScenario: kind.scenario.lowercased(), json: Self.json(kind))
        let number = free.popLast() ?? UInt32(entries.count)
        if Int(number) == entries.count {
            entries.append(entry)
            counts.append(Count(uses: 1))
        } else {
            entries[Int(number)] = entry
            counts[Int(number)] = Count(uses: 1)
        }
        numbers[kind] = number
        return number
    }

    mutating func release(_ number: UInt32) {
        counts[Int(number)].uses -= 1
        guard counts[Int(number)].uses == 0 else { return }
        numbers[entries[Int(number)].kind] = nil
        free.append(number)
    }

    mutating func countActive(_ number: UInt32, by change: Int) { counts[Int(number)].active += change }

    private static func json(_ kind: DecisionKind) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("origin", kind.origin)
        writer.member("scenario", kind.scenario)
        writer.member("scope", kind.scope)
        writer.member("type", kind.type)
        writer.endObject()
        return [UInt8(ascii: ",")] + writer.bytes.dropFirst().dropLast()
    }
}
