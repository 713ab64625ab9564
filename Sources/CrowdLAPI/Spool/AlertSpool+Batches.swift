internal import CrowdCore
internal import Logging
internal import Synchronization

/// What goes into one request.
struct SpoolBatch: Sendable {
    /// Of what lay on the disk, in the order of the request.
    var entries: [SpoolJournal.Entry] = []
    /// Of what was in memory only; it may be on the disk by now.
    var fresh: [UInt64] = []
    var sequences: [UInt64] { entries.map(\.sequence) + fresh }
    var isEmpty: Bool { entries.isEmpty && fresh.isEmpty }
    /// A JSON array.
    var json: [UInt8] = []
    /// Those that were kept aside, because the Local API took only the others.
    var refused = 0
}

extension AlertSpool {
    /// The oldest alerts, at most `limit` and about `maxRequestBytes`; `nil` when there is none.
    func nextBatch(limit: Int) -> SpoolBatch? {
        state.withLock { state in
            while state.count > 0 {
                let batch = batch(limit: limit, from: &state)
                if !batch.isEmpty { return batch }
            }
            return nil
        }
    }

    /// Whether more would not fit into the next request.
    func fillsRequest(limit: Int) -> Bool {
        state.withLock { $0.count >= limit || $0.freshBytes + $0.journal.bytes >= settings.maxRequestBytes }
    }

    /// Empty if none of the oldest could be read back, which are dropped.
    private func batch(limit: Int, from state: inout State) -> SpoolBatch {
        var batch = SpoolBatch()
        let entries = run(in: state, limit: limit)
        let stored = entries.reduce(0) { $0 + $1.length }
        let fresh = run(in: state, limit: limit - entries.count, behind: stored)
        var writer = JSONWriter(capacity: 4_096 + stored + fresh.reduce(0) { $0 + $1.alert.json.count })
        writer.beginArray()
        fill(&batch, &writer, entries, from: &state)
        for alert in fresh {
            writer.raw(alert.alert.json)
            batch.fresh.append(alert.sequence)
        }
        writer.endArray()
        batch.json = writer.bytes
        return batch
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

    private func run(in state: borrowing State, limit: Int, behind stored: Int) -> ArraySlice<Fresh> {
        var (count, bytes) = (0, stored)
        while count < min(limit, state.fresh.count) {
            bytes += state.fresh[count].alert.json.count
            if bytes > settings.maxRequestBytes, stored > 0 || count > 0 { break }
            count += 1
        }
        return state.fresh.prefix(count)
    }

    private func fill(
        _ batch: inout SpoolBatch, _ writer: inout JSONWriter, _ entries: [SpoolJournal.Entry],
        from state: inout State
    ) {
        guard !entries.isEmpty else { return }
        var unreadable: [SpoolJournal.Entry] = []
        state.journal.forEachJSON(of: entries) { entry, json in
            guard let json else { return unreadable.append(entry) }
            writer.raw(json)
            batch.entries.append(entry)
        }
        guard !unreadable.isEmpty else { return }
        log.error("Alerts cannot be read back from the spool and are lost", metadata: ["count": "\(unreadable.count)"])
        drop(unreadable.map(\.sequence), from: &state)
    }

    /// Does what the plan decided about a batch; false if the disk did not let it.
    func settle(_ batch: SpoolBatch, _ verdict: DeliveryPlan.Verdict) -> Bool {
        switch verdict {
        case .retry:
            // It may take a while: nothing stays in memory only.
            secure()
            return true
        case .forget: counters.sent.add(UInt64(max(0, batch.sequences.count - batch.refused)))
        case .giveUp(let status, let message):
            guard bury(batch, status: status, reason: message) else { return false }
            counters.refused.add(UInt64(batch.sequences.count))
        }
        state.withLock { state in
            drop(batch.sequences, from: &state)
            publishCount(state)
        }
        return true
    }

    /// Lets the others go first.
    func moveToBack(_ batch: SpoolBatch) {
        let moved = Set(batch.sequences)
        state.withLock { state in
            let still = state.entries.filter { moved.contains($0.sequence) }
            state.entries = state.entries.filter { !moved.contains($0.sequence) } + still
        }
    }

    /// Forgets those that are still ours; what was shed while it was under way is not.
    private func drop(_ sequences: [UInt64], from state: inout State) {
        // Nearly always they are the oldest, and in memory only.
        let oldest = zip(state.fresh, sequences).prefix { $0.sequence == $1 }.count
        dropFresh(oldest, from: &state)
        guard oldest < sequences.count else { return }
        let others = Set(sequences[oldest...])
        dropFresh(state.fresh.prefix { others.contains($0.sequence) }.count, from: &state)
        let gone = state.entries.filter { others.contains($0.sequence) }
        guard !gone.isEmpty else { return }
        state.entries.removeAll { others.contains($0.sequence) }
        state.journal.acknowledge(gone, left: &state.entries)
    }

    private func dropFresh(_ count: Int, from state: inout State) {
        guard count > 0 else { return }
        let gone = state.fresh.prefix(count)
        state.accounted(gone.map(\.alert.uuid))
        state.freshBytes -= gone.reduce(0) { $0 + SpoolRecord.size(of: $1.alert) }
        state.fresh.removeFirst(count)
    }

    private func alert(_ sequence: UInt64, in state: borrowing State) -> EncodedAlert? {
        if let fresh = state.fresh.first(where: { $0.sequence == sequence }) { return fresh.alert }
        return state.entries.first { $0.sequence == sequence }.flatMap { state.journal.read($0) }
    }

    private func bury(_ batch: SpoolBatch, status: Int, reason: String) -> Bool {
        let found = state.withLock { state in batch.sequences.first.flatMap { alert($0, in: state) } }
        return found.map { keepAside($0, status: status, reason: reason) } ?? true
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
