internal import CrowdCore
internal import Logging
internal import Synchronization

/// What goes into one request.
struct SpoolBatch: Sendable {
    /// Empty for a batch of unwritten alerts.
    var entries: [SpoolJournal.Entry] = []
    var unwritten = 0
    /// Where an alert has no sequence (unwritten), zeros.
    var sequences: [UInt64] { entries.map(\.sequence) + Array(repeating: 0, count: unwritten) }
    /// A JSON array.
    var json: [UInt8] = []
    /// Those that were kept aside, because the Local API took only the others.
    var refused = 0
}

extension AlertSpool {
    /// The oldest alerts, at most `limit` and about `maxRequestBytes`; `nil` when there is none.
    func nextBatch(limit: Int) -> SpoolBatch? {
        state.withLock { state in
            var batch = SpoolBatch()
            let entries = state.unwritten.isEmpty ? run(in: state, limit: limit) : []
            var writer = JSONWriter(capacity: entries.reduce(4_096) { $0 + $1.length })
            writer.beginArray()
            if state.unwritten.isEmpty {
                fill(&batch, &writer, entries, from: &state)
            } else {
                batch.unwritten = min(limit, state.unwritten.count)
                for alert in state.unwritten.prefix(limit) { writer.raw(alert.json) }
            }
            writer.endArray()
            batch.json = writer.bytes
            return batch.entries.isEmpty && batch.unwritten == 0 ? nil : batch
        }
    }

    /// The oldest alerts that fit into a request.
    private func run(in state: borrowing State, limit: Int) -> [SpoolJournal.Entry] {
        var run: [SpoolJournal.Entry] = []
        var bytes = 0
        for entry in state.entries.prefix(limit) {
            if !run.isEmpty && bytes + entry.length > settings.maxRequestBytes { break }
            bytes += entry.length
            run.append(entry)
        }
        return run
    }

    private func fill(
        _ batch: inout SpoolBatch, _ writer: inout JSONWriter, _ entries: [SpoolJournal.Entry],
        from state: inout State
    ) {
        var unreadable: [SpoolJournal.Entry] = []
        state.journal.forEachJSON(of: entries) { entry, json in
            guard let json else { return unreadable.append(entry) }
            writer.raw(json)
            batch.entries.append(entry)
        }
        guard !unreadable.isEmpty else { return }
        log.error("Alerts cannot be read back from the spool and are lost", metadata: ["count": "\(unreadable.count)"])
        drop(unreadable, from: &state)
    }

    /// Does what the plan decided about a batch; false if the disk did not let it.
    func settle(_ batch: SpoolBatch, _ verdict: DeliveryPlan.Verdict) -> Bool {
        switch verdict {
        case .retry: return true
        case .forget: counters.sent.add(UInt64(max(0, batch.sequences.count - batch.refused)))
        case .giveUp(let status, let message):
            guard bury(batch, status: status, reason: message) else { return false }
            counters.refused.add(UInt64(batch.sequences.count))
        }
        state.withLock { state in
            state.unwritten.removeFirst(min(batch.unwritten, state.unwritten.count))
            drop(batch.entries, from: &state)
            counters.set(alerts: state.entries.count + state.unwritten.count, bytes: state.journal.bytes)
        }
        return true
    }

    /// Lets the others go first.
    func moveToBack(_ batch: SpoolBatch) {
        state.withLock { state in
            let moved = Set(batch.entries.map(\.sequence))
            let still = state.entries.filter { moved.contains($0.sequence) }
            state.entries = state.entries.filter { !moved.contains($0.sequence) } + still
        }
    }

    private func drop(_ entries: [SpoolJournal.Entry], from state: inout State) {
        let gone = take(entries, from: &state)
        if !gone.isEmpty { state.journal.acknowledge(gone, left: &state.entries) }
    }

    /// Removes these from the list. Nearly always they are its beginning.
    private func take(_ entries: [SpoolJournal.Entry], from state: inout State) -> [SpoolJournal.Entry] {
        if state.entries.starts(with: entries, by: { $0.sequence == $1.sequence }) {
            let gone = Array(state.entries.prefix(entries.count))
            state.entries.removeFirst(entries.count)
            return gone
        }
        // What was shed while it was under way is no longer ours to drop.
        let sequences = Set(entries.map(\.sequence))
        let gone = state.entries.filter { sequences.contains($0.sequence) }
        state.entries.removeAll { sequences.contains($0.sequence) }
        return gone
    }

    private func bury(_ batch: SpoolBatch, status: Int, reason: String) -> Bool {
        let alert = state.withLock { state in
            batch.entries.first.flatMap { state.journal.read($0) } ?? state.unwritten.first
        }
        return alert.map { keepAside($0, status: status, reason: reason) } ?? true
    }

    func keepAside(_ alert: EncodedAlert, status: Int, reason: String) -> Bool {
        do {
            try deadLetters.add(alert, status: status, reason: reason, at: .now())
            log.error(
                "Local API refused an alert for good; it is kept aside",
                metadata: [
                    "uuid": "\(alert.uuid)", "status": "\(status)", "reason": "\(reason)",
                    "file": "\(deadLetters.path)",
                ])
            return true
        } catch {
            log.error("Refused alert could not be kept aside", metadata: ["error": "\(error)"])
            return false
        }
    }
}
