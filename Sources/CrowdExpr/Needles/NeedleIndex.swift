/// What a condition needs to be true, as questions: of each group at least one must be answered with yes or perhaps.
public struct NeedleNeeds: @unchecked Sendable {
    // Sendable: the table is sealed before any worker asks.
    fileprivate let table: NeedleTable?
    fileprivate let groups: [[NeedlePlace]]

    init(_ groups: [[NeedleQuestion]]) {
        table = groups.first?.first?.table
        self.groups = groups.map { $0.map(\.place) }
    }

    /// Nothing is needed.
    public var isEmpty: Bool { groups.isEmpty }
}

/// Which of many conditions may hold, by the texts they need: found from what the event's fields hold, so that those whose
/// texts do not occur cost nothing, however many they are.
public struct NeedleIndex: @unchecked Sendable {
    // Sendable: the table is sealed before any worker asks; the rest is immutable.
    private let table: NeedleTable?
    /// For each field, the numbers to offer when a bit is set.
    private let fields: [(field: Int, byBit: [[Int]])]
    /// By number: groups beside the one that the index goes by.
    private let otherGroups: [Int: [[NeedlePlace]]]

    /// - Parameter conditions: each with its number, and needs that are not empty, all of one table.
    public init(_ conditions: [(number: Int, needs: NeedleNeeds)]) {
        table = conditions.first?.needs.table
        var byField: [Int: [[Int]]] = [:]
        var others: [Int: [[NeedlePlace]]] = [:]
        for (number, needs) in conditions {
            for place in needs.groups[0] {
                let missing = place.bit + 1 - byField[place.field, default: []].count
                if missing > 0 { byField[place.field, default: []] += Array(repeating: [], count: missing) }
                byField[place.field]?[place.bit].append(number)
            }
            if needs.groups.count > 1 { others[number] = Array(needs.groups[1...]) }
        }
        fields = byField.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        otherGroups = others
    }

    /// Appends the numbers of the conditions that may hold for the machine's event; one may come more than once.
    public func candidates(on machine: Machine, into result: inout [Int]) {
        guard let table else { return }
        let answers = machine.answers(from: table)
        for index in fields.indices {
            answers.forEachHit(in: fields[index].field) { bit in
                guard bit < fields[index].byBit.count else { return }
                for number in fields[index].byBit[bit] where mayHold(number, answers) { result.append(number) }
            }
        }
    }

    private func mayHold(_ number: Int, _ answers: NeedleAnswers) -> Bool {
        guard let groups = otherGroups[number] else { return true }
        return groups.allSatisfy { group in group.contains { answers.mayHold($0) } }
    }
}
