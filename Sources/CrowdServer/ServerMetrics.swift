import CrowdCore
import CrowdStore

/// The server's counters under CrowdSec's names (protocol facts A.12).
struct ServerMetrics: Sendable {
    let registry: Metrics

    init(_ registry: Metrics) { self.registry = registry }

    func count(_ route: String, _ method: String, _ caller: Caller, seconds: Double) {
        let labels = [("route", route), ("method", method)]
        registry.counter(.routeRequests, labels).add()
        switch caller {
        case .machine(let id): registry.counter(.machineRequests, [("machine", id)] + labels).add()
        case .bouncer(let bouncer): registry.counter(.bouncerRequests, [("bouncer", bouncer.name)] + labels).add()
        case .anyone, .certificate: break
        }
        registry.histogram(
            .requestDuration, [("endpoint", route), ("method", method)], bounds: Histogram.Bounds.requests
        ).observe(seconds)
    }

    func countDecisions(_ bouncer: BouncerIdentity, isEmpty: Bool) {
        registry.counter(isEmpty ? .decisionsKO : .decisionsOK, [("bouncer", bouncer.name)]).add()
    }

    func setActiveDecisions(_ kinds: [(kind: DecisionKind, count: Int)]) {
        var sums: [[String]: Int] = [:]
        for (kind, count) in kinds { sums[[kind.scenario, kind.origin, kind.type], default: 0] += count }
        registry.replaceGauges(
            .activeDecisions,
            with: sums.map { key, count in
                (labels: [("reason", key[0]), ("origin", key[1]), ("action", key[2])], value: Double(count))
            })
    }

    func setAlerts(_ counts: [(scenario: String, count: Int)]) {
        registry.replaceGauges(
            .alerts, with: counts.map { (labels: [("reason", $0.scenario)], value: Double($0.count)) })
    }

    func setProblems(_ present: [Health.Part]) {
        registry.replaceGauges(
            .serverProblem,
            with: Health.Part.allCases.map { part in
                (labels: [("part", part.rawValue)], value: present.contains(part) ? 1 : 0)
            })
    }

    func setHeartbeats(_ machines: [MachineRecord]) {
        registry.replaceGauges(
            .machineHeartbeat,
            with: machines.compactMap { machine in
                machine.lastHeartbeat.map { (labels: [("machine", machine.machineID)], value: Double($0.seconds)) }
            })
    }
}
