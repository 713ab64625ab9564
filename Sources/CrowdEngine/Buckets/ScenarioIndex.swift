import CrowdCore
import CrowdExpr

/// Which scenarios can match an event, by the fields and texts that their filters demand. Results are those of trying all.
struct ScenarioIndex: Sendable {
    /// A field that filters look at, and the scenarios that can match its values.
    private final class Field: Sendable {
        let map: EventMap
        let key: FieldKey
        private let scenarios: PinnedRows<Int>

        init(_ name: FieldName, _ scenarios: [ByteSlice: [Int]]) {
            map = name.isMeta ? .meta : .parsed
            key = name.key
            self.scenarios = PinnedRows(scenarios)
        }

        /// Numbers of the scenarios that can match the event's value; none of them is nil.
        func row(_ event: Event) -> UnsafeBufferPointer<Int>? {
            map.find(key, in: event).flatMap { scenarios[$0] }
        }
    }
    private let fields: PinnedList<Field>
    /// Scenarios whose filters state nothing that could be looked up.
    private let others: PinnedRow<Int>
    /// Scenarios whose filters cannot hold without certain texts.
    private let needles: NeedleIndex

    /// Asks the environment about texts: to be made before its questions are sealed.
    init(_ scenarios: [Scenario], _ environment: Environment, indexed: Bool = true) {
        let logType = environment.keys.intern("log_type")
        var tables: [FieldName: [ByteSlice: [Int]]] = [:]
        var others: [Int] = []
        var needy: [(number: Int, needs: NeedleNeeds)] = []
        for scenario in scenarios {
            if indexed, scenario.filter.isPure, !scenario.filter.needs.isEmpty {
                needy.append((scenario.number, scenario.filter.needs))
                continue
            }
            guard indexed, scenario.filter.isPure, let (name, values) = ScenarioIndex.demand(scenario, logType) else {
                others.append(scenario.number)
                continue
            }
            for value in Set(values) { tables[name, default: [:]][value, default: []].append(scenario.number) }
        }
        needles = NeedleIndex(needy, in: environment, others: &others)
        self.others = PinnedRow(others.sorted())
        fields = PinnedList(tables.map { Field($0.key, $0.value) }.sorted { $0.key < $1.key })
    }

    private struct FieldName: Hashable {
        let isMeta: Bool
        let key: FieldKey
    }

    /// The most telling condition of a filter: the log type if it names one.
    private static func demand(_ scenario: Scenario, _ logType: FieldKey?) -> (FieldName, [ByteSlice])? {
        var best: (FieldName, [ByteSlice])?
        for case .fieldIn(let map, let key, let values) in scenario.filter.facts {
            guard map != .enriched, !values.contains(.empty) else { continue }
            if best == nil || (map == .meta && key == logType) {
                best = (FieldName(isMeta: map == .meta, key: key), values)
            }
        }
        return best
    }

    /// The scenarios to try with the machine's event, in order.
    func find(_ candidates: ScenarioCandidates, on machine: Machine) {
        candidates.begin()
        for place in 0..<fields.count {
            if let row = fields.with(place, { $0.row(machine.event) }) { candidates.add(row) }
        }
        candidates.add(others.elements)
        needles.candidates(on: machine, into: &candidates.hits)
        candidates.finish()
    }
}

/// Numbers of the scenarios to try with an event. One worker's own, used again: nearly always they are those of the event
/// before, which are not put in order anew then.
final class ScenarioCandidates {
    private(set) var numbers: [Int] = []
    /// Found by single texts, beside the rows.
    fileprivate var hits: [Int] = []
    /// The rows of this event, the first `rowCount`; behind them what is left of earlier ones.
    private var rows: [UnsafeBufferPointer<Int>] = []
    private var rowCount = 0
    /// How many rows `numbers` is made of; -1 when hits are in it.
    private var knownCount = -1
    private var isKnown = false

    var isEmpty: Bool { numbers.isEmpty }

    fileprivate func begin() {
        rowCount = 0
        isKnown = true
        if !hits.isEmpty { hits.removeAll(keepingCapacity: true) }
    }

    fileprivate func add(_ row: UnsafeBufferPointer<Int>) {
        if rowCount == rows.count {
            rows.append(row)
            isKnown = false
        } else if rows[rowCount].baseAddress != row.baseAddress {
            rows[rowCount] = row
            isKnown = false
        }
        rowCount += 1
    }

    fileprivate func finish() {
        if isKnown, knownCount == rowCount, hits.isEmpty { return }
        numbers.removeAll(keepingCapacity: true)
        for row in rows[..<rowCount] { numbers += row }
        numbers += hits
        numbers.sort()
        removeRepeats()
        knownCount = hits.isEmpty ? rowCount : -1
    }

    private func removeRepeats() {
        guard numbers.count > 1 else { return }
        var kept = 1
        for at in 1..<numbers.count where numbers[at] != numbers[at - 1] {
            numbers[kept] = numbers[at]
            kept += 1
        }
        numbers.removeLast(numbers.count - kept)
    }
}
