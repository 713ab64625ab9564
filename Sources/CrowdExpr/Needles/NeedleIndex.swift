/// What a condition needs to be true: of each group of texts and fields one. Not yet asked about.
public struct NeedleNeeds: @unchecked Sendable {
    // Sendable: the texts are immortal and never written to.
    private let groups: [[NeedleNeed]]

    init(_ groups: [[NeedleNeed]]) { self.groups = groups }

    /// Nothing is needed.
    public var isEmpty: Bool { groups.isEmpty }

    /// The group that tells most: whose shortest text is longest.
    fileprivate var best: [NeedleNeed] {
        func shortest(_ group: [NeedleNeed]) -> Int { group.map(\.shortest).min() ?? 0 }
        return groups.max { shortest($0) < shortest($1) } ?? []
    }
}

/// Which of many conditions may hold, by the texts they need: found from what the event's fields hold, so that those whose
/// texts do not occur cost nothing, however many they are.
public struct NeedleIndex: @unchecked Sendable {
    // Sendable: the table is sealed before any worker asks; the rest is immutable.
    private let table: NeedleTable
    /// For each field, the numbers to offer when a bit is set.
    private let fields: [(field: Int, byBit: [[Int]])]

    /// Asks about all of them; to be followed by `seal`.
    ///
    /// - Parameters:
    ///   - conditions: each with its number.
    ///   - others: takes the numbers of those that nothing can be asked about.
    public init(
        _ conditions: [(number: Int, needs: NeedleNeeds)], in environment: Environment, others: inout [Int]
    ) {
        table = environment.needles
        var byField: [Int: [[Int]]] = [:]
        for (number, needs) in conditions {
            let group = needs.best
            let questions = group.compactMap { environment.needles.ask($0) }
            guard !questions.isEmpty, questions.count == group.count else {
                others.append(number)
                continue
            }
            for place in questions.map(\.place) {
                let missing = place.bit + 1 - byField[place.field, default: []].count
                if missing > 0 { byField[place.field, default: []] += Array(repeating: [], count: missing) }
                byField[place.field]?[place.bit].append(number)
            }
        }
        fields = byField.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Appends the numbers of the conditions that may hold for the machine's event; one may come more than once.
    public func candidates(on machine: Machine, into result: inout [Int]) {
        guard !fields.isEmpty else { return }
        let answers = machine.answers(from: table)
        for index in fields.indices {
            answers.forEachHit(in: fields[index].field) { bit in
                if bit < fields[index].byBit.count { result.append(contentsOf: fields[index].byBit[bit]) }
            }
        }
    }
}
