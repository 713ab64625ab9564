internal import CrowdCore
internal import Logging

/// Memory, disk, and what gives way when there is room in neither.
extension AlertSpool {
    /// Writes all fresh alerts, with one sync; false if the disk did not take them, which are fresh still.
    func write(_ state: inout State) -> Bool {
        guard !state.fresh.isEmpty else { return true }
        makeRoom(for: state.freshBytes, in: &state)
        do {
            state.entries += try state.journal.append(state.fresh.map { ($0.sequence, $0.alert) })
        } catch {
            if !state.isDiskBad {
                log.error(
                    "Alerts are kept in memory only", metadata: ["error": "\(error)", "count": "\(state.fresh.count)"])
            }
            state.isDiskBad = true
            return false
        }
        if state.isDiskBad { log.info("Alerts are written to the spool again") }
        state.isDiskBad = false
        counters.written.add(UInt64(state.fresh.count))
        state.accounted(state.fresh.map(\.alert.uuid))
        state.fresh.removeAll()
        state.freshBytes = 0
        publishCount(state)
        return true
    }

    func publishCount(_ state: borrowing State) {
        counters.set(alerts: state.count, bytes: state.journal.bytes + state.freshBytes)
    }

    private func makeRoom(for coming: Int, in state: inout State) {
        var (left, shed) = (state.journal.bytes + coming, 0)
        while left > settings.maxBytes, shed < state.entries.count {
            left -= state.entries[shed].length + SpoolRecord.headerBytes
            shed += 1
        }
        guard shed > 0 else { return }
        let oldest = Array(state.entries.prefix(shed))
        state.entries.removeFirst(shed)
        state.journal.acknowledge(oldest, left: &state.entries)
        hasShed(shed)
    }

    /// What the disk does not take and memory has no room for.
    func shedFresh(_ state: inout State) {
        var shed = 0
        while state.freshBytes > settings.maxFreshBytes, shed < state.fresh.count {
            state.freshBytes -= SpoolRecord.size(of: state.fresh[shed].alert)
            shed += 1
        }
        state.fresh.removeFirst(shed)
        hasShed(shed)
    }

    private func hasShed(_ count: Int) {
        counters.shed.add(UInt64(count))
        log.error("Alert spool is full: oldest alerts dropped", metadata: ["count": "\(count)"])
    }
}
