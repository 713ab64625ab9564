import CrowdCore
import CrowdStore
import Logging

/// Brings the alerts of a request into the form that is stored.
struct AlertIntake: Sendable {
    /// What became of a request: each alert is in one of the first three.
    struct Taken: Sendable {
        var alerts: [NewAlert] = []
        /// Where each of `alerts` stood in the request.
        var indexes: [Int] = []
        /// Not to be stored, which is no failure: the source is allowlisted, or none of the decisions names an address.
        var dropped = 0
        var refused: [RefusedAlert] = []
        /// The answer when not one alert is taken: the reference's for the whole body.
        var wholeFailure: Failure?
    }

    var profiles: ProfileSet
    var allowlists: AllowlistMatcher
    var machineRow: Int64?
    var now: Timestamp
    /// Whether alerts may bring decisions; those of a machine that may only submit alerts may not.
    var mayDecide = true
    var logger: Logger

    /// The alerts of a request's body.
    func prepare(_ body: [UInt8], from machineID: String) throws(Failure) -> Taken {
        let batch: AlertBatch
        do { batch = try AlertBatch(body) } catch { throw Failure(error) }
        var taken = Taken()
        taken.alerts.reserveCapacity(batch.items.count)
        taken.wholeFailure = batch.wholeError.map { Failure($0) }
        taken.refused = batch.refused.map { RefusedAlert(index: $0.index, failure: Failure($0.reason)) }
        for item in batch.items {
            var alert = item.alert
            alert.machineID = machineID
            do {
                guard let new = try prepare(alert) else {
                    taken.dropped += 1
                    continue
                }
                taken.alerts.append(new)
                taken.indexes.append(item.index)
            } catch {
                taken.refused.append(RefusedAlert(index: item.index, failure: error))
            }
        }
        return taken
    }

    /// nil when the alert is dropped: its source is allowlisted, or none of its decisions can be stored.
    private func prepare(_ alert: Alert) throws(Failure) -> NewAlert? {
        var alert = alert
        alert.source.scope = Scope.normalized(alert.source.scope)
        if UUIDText.parse(alert.uuid) == nil { alert.uuid = SecureRandom.uuid() }
        let asked = alert.decisions ?? []
        guard asked.isEmpty || mayDecide else {
            throw .narrowScope(of: alert.machineID, to: "bring decisions of its own")
        }
        if asked.isEmpty, let reason = allowlisted(alert) {
            logger.info("Alert dropped: its source is allowlisted. source=\(alert.source.value) by=\(reason)")
            return nil
        }
        let verdict = try judge(alert, isDecided: !asked.isEmpty)
        var decisions = asked.isEmpty ? verdict.decisions : asked
        for index in decisions.indices where !asked.isEmpty {
            decisions[index].scope = Scope.normalized(decisions[index].scope)
            decisions[index].uuid = SecureRandom.uuid()
        }
        let stoppedAt = Timestamp(rfc3339: alert.stopAt) ?? now
        var storable: [NewDecision] = []
        storable.reserveCapacity(decisions.count)
        for (index, decision) in decisions.enumerated() {
            LongWork.pause(after: index)
            if let new = try storableForm(of: decision, stoppedAt: stoppedAt) { storable.append(new) }
        }
        if storable.isEmpty && !decisions.isEmpty { return nil }
        return NewAlert(
            alert, machineRow: machineRow, startedAt: Timestamp(rfc3339: alert.startAt) ?? now, stoppedAt: stoppedAt,
            decisions: storable)
    }

    private func allowlisted(_ alert: Alert) -> String? {
        let source = alert.source
        guard Scope.isAddress(source.scope), let range = IPRange(unmapping: source.value) else { return nil }
        return allowlists.reasons(for: range, now: now).first
    }

    /// An alert that brings its decisions is shown to the profiles for notifications only.
    private func judge(_ alert: Alert, isDecided: Bool) throws(Failure) -> ProfileSet.Verdict {
        do { return try profiles.judge(alert, logger: logger) } catch {
            if isDecided { return ProfileSet.Verdict() }
            throw .server(error.description)
        }
    }

    private func storableForm(of decision: Decision, stoppedAt: Timestamp) throws(Failure) -> NewDecision? {
        guard let duration = GoDuration(decision.duration, allowingDays: true) else {
            throw .server("validation failure: decision duration '\(decision.duration.prefix(64))' is not a duration")
        }
        var range: IPRange?
        if Scope.isAddress(decision.scope) {
            guard let parsed = IPRange(unmapping: decision.value) else {
                logger.warning("Decision dropped: its value is no address. value=\(decision.value)")
                return nil
            }
            range = parsed
        }
        return NewDecision(decision, until: stoppedAt + duration, range: range)
    }
}

extension Failure {
    /// What the reference answers to a body that is not what its models ask for.
    fileprivate init(_ error: WireError) {
        switch error {
        case .missing: self = .server(error.description)
        case .malformed: self = .badRequest(error.description)
        }
    }
}
