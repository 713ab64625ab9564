internal import CrowdCore
internal import Synchronization

/// The bouncer's figures (protocol facts F.7, and ours). Packet counters are read from the kernel on each scrape, over
/// a socket of their own.
final class FirewallMetrics: Sendable {
    private struct State {
        var filter: (any PacketFilter)?
        var layouts: [TableLayout]
        /// By family and set name.
        var labels: [String: String] = [:]
    }

    /// What was counted for one origin and family, or for all packets.
    struct Traffic: Equatable, Sendable {
        /// `nil`: all packets that the chains saw.
        var origin: String?
        var family: Family
        var packets: UInt64
        var bytes: UInt64
    }

    let requests: Counter
    let failures: Counter
    let repaired: Counter
    let refused: Counter
    let connectionsCut: Counter
    private let metrics: Metrics
    private let state: Mutex<State>

    init(_ metrics: Metrics, filter: sending (any PacketFilter)?, layouts: [TableLayout]) {
        self.metrics = metrics
        requests = metrics.counter(.lapiRequests)
        failures = metrics.counter(.lapiRequestFailures)
        repaired = metrics.counter(.repaired)
        refused = metrics.counter(.refusedElements)
        connectionsCut = metrics.counter(.connectionsCut)
        state = Mutex(State(filter: filter, layouts: layouts))
        metrics.onScrape { [weak self] _ in self?.exportTraffic() }
    }

    /// After each change of the decisions.
    func set(decided: [(origin: String, family: Family, count: Int)], origins: OriginTable) {
        metrics.replaceGauges(
            .bannedIPs,
            with: decided.map { ([("ip_type", $0.family.label), ("origin", $0.origin)], Double($0.count)) })
        state.withLock { state in
            state.labels = Dictionary(origins.all.map { ($0.name, $0.label) }) { first, _ in first }
        }
    }

    /// After each comparison.
    func set(_ verification: Verification) {
        set(figures: verification)
        metrics.gauge(.drift).set(verification.drift)
        metrics.gauge(.lastVerified).set(Double(Timestamp.now().seconds))
        repaired.add(UInt64(verification.repaired))
        refused.add(UInt64(verification.refused))
    }

    /// After each change.
    func set(figures: Verification) {
        metrics.gauge(.decided).set(figures.decided)
        metrics.gauge(.enforced).set(figures.enforced)
    }

    func set(_ status: BouncerStatus) {
        metrics.gauge(.healthy).set(status.isHealthy ? 1 : 0)
        if let answer = status.lastAnswer { metrics.gauge(.lastAnswer).set(Double(answer.seconds)) }
    }

    func set(allowlisted count: Int) { metrics.gauge(.allowlisted).set(count) }

    /// The kernel's counters now.
    func traffic() -> [Traffic] {
        state.withLock { state in
            guard let filter = state.filter else { return [] }
            return state.layouts.flatMap { layout in
                ((try? filter.counters(layout)) ?? [:]).compactMap { name, counter in
                    let origin = layout.naming.origin(of: name, prefix: layout.setPrefix)
                    guard origin != nil || name == TableLayout.processed else { return nil }
                    return Traffic(
                        origin: origin.map { state.labels[$0] ?? $0 }, family: layout.family, packets: counter.packets,
                        bytes: counter.bytes)
                }
            }
        }
    }

    private func exportTraffic() {
        let all = traffic()
        let dropped = all.compactMap { entry in entry.origin.map { (origin: $0, entry: entry) } }
        let processed = all.filter { $0.origin == nil }
        metrics.replaceGauges(
            .droppedPackets, with: dropped.map { (Self.labels($0.entry, $0.origin), Double($0.entry.packets)) })
        metrics.replaceGauges(
            .droppedBytes, with: dropped.map { (Self.labels($0.entry, $0.origin), Double($0.entry.bytes)) })
        metrics.replaceGauges(
            .processedPackets, with: processed.map { ([("ip_type", $0.family.label)], Double($0.packets)) })
        metrics.replaceGauges(
            .processedBytes, with: processed.map { ([("ip_type", $0.family.label)], Double($0.bytes)) })
    }

    private static func labels(_ entry: Traffic, _ origin: String) -> [(String, String)] {
        [("ip_type", entry.family.label), ("origin", origin)]
    }
}
