import CrowdCore
import CrowdExpr

/// Which scenarios can match an event, by the fields and texts that their filters demand. Results are those of trying all.
struct ScenarioIndex: Sendable {
    private struct Field: Sendable {
        let map: EventMap
        let key: FieldKey
        let scenarios: [ByteSlice: [Int]]
    }
    private let fields: [Field]
    /// Scenarios whose filters state nothing that could be looked up.
    private let others: [Int]
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
        self.others = others.sorted()
        fields = tables.map { Field(map: $0.key.isMeta ? .meta : .parsed, key: $0.key.key, scenarios: $0.value) }
            .sorted { $0.key < $1.key }
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

    /// Numbers of the scenarios to try with the machine's event, in order, into `result`.
    func candidates(on machine: Machine, into result: inout [Int]) {
        let event = machine.event
        result.removeAll(keepingCapacity: true)
        var lists = 0
        for field in fields {
            guard let value = field.map.find(field.key, in: event), let found = field.scenarios[value] else {
                continue
            }
            result.append(contentsOf: found)
            lists += 1
        }
        if !others.isEmpty {
            result.append(contentsOf: others)
            lists += 1
        }
        let certain = result.count
        needles.candidates(on: machine, into: &result)
        if lists > 1 || result.count > certain { result.sort() }
        if result.count > certain + 1 { removeRepeats(&result) }
    }

    private func removeRepeats(_ sorted: inout [Int]) {
        var kept = 1
        for at in 1..<sorted.count where sorted[at] != sorted[at - 1] {
            sorted[kept] = sorted[at]
            kept += 1
        }
        sorted.removeLast(sorted.count - kept)
    }
}
