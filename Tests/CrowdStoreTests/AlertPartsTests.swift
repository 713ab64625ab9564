import CrowdCore
import CrowdStore
import Testing

@Suite("Alerts in portions") struct AlertPartsTests {
    /// Decisions and events of each alert, and how many alerts each portion takes.
    @Test(
        arguments: [
            ([], []),
            ([(1, 1)], [1]),
            ([(1, 1), (0, 0), (3, 7)], [3]),
            ([(2_000, 0), (2_000, 0), (2_000, 0)], [2, 1]),
            ([(1, 1), (0, 30_000), (1, 1), (1, 1)], [1, 1, 2]),
            ([(6_000, 0), (6_000, 0)], [1, 1]),
        ] as [([(Int, Int)], [Int])])
    func takeWhatOneTransactionTakes(_ alerts: [(Int, Int)], _ portions: [Int]) {
        let alerts = alerts.map { TemporaryStore.alert(decisions: $0.0, events: $0.1) }
        #expect(NewAlert.portions(of: alerts).map(\.count) == portions)
    }

    @Test(arguments: [(1, 1, false), (4_994, 0, false), (4_996, 0, true), (0, 19_980, false), (0, 19_981, true)])
    func aloneAreLong(_ decisions: Int, _ events: Int, _ isLong: Bool) {
        #expect(TemporaryStore.alert(decisions: decisions, events: events).isLong == isLong)
    }

    @Test(arguments: [
        (0, 0, 0), (1, 0, 1), (5_000, 0, 1), (5_001, 0, 2), (5_000, 20_000, 2), (4_999, 19_999, 2), (9, 45_000, 3),
    ])
    func areTakenInParts(_ decisions: Int, _ events: Int, _ parts: Int) {
        #expect(TemporaryStore.alert(decisions: decisions, events: events).parts.count == parts)
    }
}
