import CrowdCore
import CrowdStore
import HTTPTypes
import Synchronization

/// Taking alerts in (protocol facts A.5, B.1).
extension LocalAPI {
    /// Answers only when the alerts are on disk; sent again, an alert with a UUID of its sender's is found and not doubled.
    /// An alert that cannot be stored, whoever found it out, is refused by itself. A request of which nothing can be
    /// stored is refused as the reference does, and one that the database cannot take now leaves nothing behind.
    func postAlerts(_ call: Call) async throws -> Reply {
        guard case .machine(let machineID) = call.caller else { throw Failure.forbidden() }
        let profiles = profiles
        let intake = AlertIntake(
            profiles: profiles, allowlists: allowlists, machineRow: clients.machine(machineID)?.id, now: call.now,
            mayDecide: clients.scope(of: machineID) == .full, logger: logger)
        let taken = try await BackgroundWork.run(on: call.body, always: profiles.asksOthers) {
            try intake.prepare($0, from: machineID)
        }
        let isImport = taken.alerts.contains { $0.decisions.first?.decision.origin == "cscli-import" }
        if isImport { imports.add(1, ordering: .relaxed) }
        defer { if isImport { imports.subtract(1, ordering: .relaxed) } }
        let stored = try await store(taken)
        if stored.ids.isEmpty, taken.dropped == 0, let first = stored.refused.first {
            throw taken.wholeFailure ?? first.failure
        }
        alertsChanged.store(true, ordering: .relaxed)
        clients.touchMachine(machineID) { $0.lastPush = call.now }
        return answer(stored.ids, stored.refused, to: machineID)
    }

    private func answer(_ ids: [Int64], _ refused: [RefusedAlert], to machineID: String) -> Reply {
        var reply = Reply.json(201) { writer in
            writer.beginArray()
            for id in ids { writer.string(String(id)) }
            writer.endArray()
        }
        if !refused.isEmpty {
            refusalLog.error(RefusedAlerts.logLine(refused, from: machineID), to: logger)
            if let field = RefusedAlerts.field { reply.headers[field] = RefusedAlerts.header(refused) }
        }
        return reply
    }

    /// The ids of what is stored, and all that is refused, in order.
    private func store(_ taken: AlertIntake.Taken) async throws(StoreError) -> (ids: [Int64], refused: [RefusedAlert]) {
        var ids: [Int64] = []
        var refused = taken.refused
        for (index, outcome) in zip(taken.indexes, try await store(taken.alerts)) {
            switch outcome {
            case .success(let alert): ids.append(alert.id)
            case .failure(let error):
                failureLog.error("Alert refused by the database. error=\(error)", to: logger)
                refused.append(RefusedAlert(index: index, error))
            }
        }
        return (ids, refused.sorted { $0.index < $1.index })
    }
}
