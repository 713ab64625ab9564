import CrowdCore
import CrowdStore
import Logging
import Synchronization

/// Taking alerts in (protocol facts A.5, B.1).
extension LocalAPI {
    /// Answers only when the alerts are on disk. A request is stored whole or not at all; sent again, an alert with a
    /// UUID of its sender's is found and not doubled.
    func postAlerts(_ call: Call) async throws -> Reply {
        guard case .machine(let machineID) = call.caller else { throw Failure.forbidden() }
        let intake = AlertIntake(
            profiles: profiles, allowlists: allowlists, machineRow: clients.machine(machineID)?.id, now: call.now,
            mayDecide: clients.scope(of: machineID) == .full, logger: logger)
        let prepared =
            call.body.count < BackgroundWork.bodyBytes
            ? try intake.prepare(call.body, from: machineID)
            : try await BackgroundWork.run { try intake.prepare(call.body, from: machineID) }
        let isImport = prepared.contains { $0.decisions.first?.decision.origin == "cscli-import" }
        if isImport { imports.add(1, ordering: .relaxed) }
        defer { if isImport { imports.subtract(1, ordering: .relaxed) } }
        let ids = try await store(prepared, at: call.now)
        alertsChanged.store(true, ordering: .relaxed)
        clients.touchMachine(machineID) { $0.lastPush = call.now }
        return .json(201) { writer in
            writer.beginArray()
            for id in ids { writer.string(String(id)) }
            writer.endArray()
        }
    }

    private func store(_ alerts: [NewAlert], at now: Timestamp) async throws(StoreError) -> [Int64] {
        guard !alerts.isEmpty else { return [] }
        let decisions = decisions
        let stored = try await store.write(
            { session throws(StoreError) in
                var stored: [StoredAlert] = []
                // The time of the commit, not of the request: no decision may look older than a poll that missed it.
                let now = Timestamp.now()
                for alert in alerts { stored.append(try AlertInsertion.insert(alert, at: now, in: session)) }
                return stored
            },
            afterCommit: { stored in decisions.add(stored.flatMap(\.decisions), now: .now()) })
        return stored.map(\.id)
    }
}

/// Brings one alert into the form that is stored.
struct AlertIntake: Sendable {
    var profiles: ProfileSet
    var allowlists: AllowlistMatcher
    var machineRow: Int64?
    var now: Timestamp
    /// Whether alerts may bring decisions; those of a machine that may only submit alerts may not.
    var mayDecide = true
    var logger: Logger

    /// The alerts of a request's body.
    func prepare(_ body: [UInt8], from machineID: String) throws -> [NewAlert] {
        let alerts: [Alert]
        do { alerts = try Alert.list(from: body) } catch {
            if case .missing = error { throw Failure.server(error.description) }
            throw Failure.badRequest(error.description)
        }
        var prepared: [NewAlert] = []
        prepared.reserveCapacity(alerts.count)
        for var alert in alerts {
            alert.machineID = machineID
            if let new = try prepare(alert) { prepared.append(new) }
        }
        return prepared
    }

    /// nil when the alert is dropped: its source is allowlisted, or none of its decisions can be stored.
    func prepare(_ alert: Alert) throws(Failure) -> NewAlert? {
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
        for decision in decisions {
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
            throw .server("decision duration '\(decision.duration)' is not a duration")
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
