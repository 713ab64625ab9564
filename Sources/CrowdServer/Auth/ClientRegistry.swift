import CrowdCore
import CrowdStore
import Synchronization

/// The bouncer behind a request.
struct BouncerIdentity: Sendable, Equatable {
    var id: Int64
    var name: String
}

/// Machines and bouncers in memory: no authentication touches the disk.
///
/// What changes with use (addresses, versions, times) is changed here and written by the housekeeper in batches.
final class ClientRegistry: Sendable {
    enum KeyVerdict: Sendable {
        case known(BouncerRecord)
        /// The key is right, but this address has no row yet: insert this one, then `add` it.
        case newAddress(BouncerRecord)
        case refused
    }

    private struct State {
        var machines: [String: MachineRecord] = [:]
        var bouncers: [Int64: BouncerRecord] = [:]
        var bouncersByKey: [String: [Int64]] = [:]
        /// Number of the last change each bouncer has seen, in this process.
        var positions: [Int64: UInt64] = [:]
        var touchedMachines: Set<String> = []
        var touchedBouncers: Set<Int64> = []
    }

    private let state = Mutex(State())

    /// Takes over what the database holds; newer contact facts of this process stay.
    func load(machines: [MachineRecord], bouncers: [BouncerRecord]) {
        state.withLock { state in
            let (oldMachines, oldBouncers) = (state.machines, state.bouncers)
            state.machines = [:]
            for machine in machines {
                state.machines[machine.machineID] =
                    oldMachines[machine.machineID].map(machine.keepingContact) ?? machine
            }
            state.bouncers = [:]
            state.bouncersByKey = [:]
            for bouncer in bouncers {
                state.bouncers[bouncer.id] = oldBouncers[bouncer.id].map(bouncer.keepingContact) ?? bouncer
                state.bouncersByKey[bouncer.keyHash, default: []].append(bouncer.id)
            }
            state.positions = state.positions.filter { state.bouncers[$0.key] != nil }
        }
    }

    // MARK: Machines

    func machine(_ id: String) -> MachineRecord? { state.withLock { $0.machines[id] } }
    var machines: [MachineRecord] { state.withLock { Array($0.machines.values) } }
    func add(_ machine: MachineRecord) { state.withLock { $0.machines[machine.machineID] = machine } }
    func removeMachine(_ id: String) { state.withLock { $0.machines[id] = nil } }

    /// Changes contact facts of a machine; they reach the database with the next batch. False when there is none.
    @discardableResult
    func touchMachine(_ id: String, _ change: (inout MachineRecord) -> Void) -> Bool {
        state.withLock { state in
            guard state.machines[id] != nil else { return false }
            if var machine = state.machines[id] {
                change(&machine)
                state.machines[id] = machine
            }
            state.touchedMachines.insert(id)
            return true
        }
    }

    // MARK: Bouncers

    func bouncer(_ id: Int64) -> BouncerRecord? { state.withLock { $0.bouncers[id] } }
    func bouncer(named name: String) -> BouncerRecord? {
        state.withLock { $0.bouncers.values.first { $0.name == name } }
    }

    func add(_ bouncer: BouncerRecord) {
        state.withLock { state in
            guard state.bouncers.updateValue(bouncer, forKey: bouncer.id) == nil else { return }
            state.bouncersByKey[bouncer.keyHash, default: []].append(bouncer.id)
        }
    }

    func touchBouncer(_ id: Int64, _ change: (inout BouncerRecord) -> Void) {
        state.withLock { state in
            guard var bouncer = state.bouncers[id] else { return }
            let before = bouncer
            change(&bouncer)
            guard bouncer != before else { return }
            state.bouncers[id] = bouncer
            state.touchedBouncers.insert(id)
        }
    }

    /// Judges a key hash from a client address (protocol facts A.2.2).
    func judge(keyHash: String, client: String, isHead: Bool) -> KeyVerdict {
        state.withLock { state in
            let rows = (state.bouncersByKey[keyHash] ?? []).compactMap { state.bouncers[$0] }
            if let own = rows.first(where: { $0.ipAddress == client }) {
                return own.authType == "api-key" ? .known(own) : .refused
            }
            let usable = rows.filter { $0.authType == "api-key" }.sorted { $0.id < $1.id }
            guard let first = usable.first else { return .refused }
            if isHead || (usable.count == 1 && first.ipAddress.isEmpty) { return .known(first) }
            var bouncer = BouncerRecord(name: "\(Self.baseName(first.name))@\(client)", keyHash: keyHash)
            bouncer.ipAddress = client
            bouncer.isAutoCreated = true
            return .newAddress(bouncer)
        }
    }

    /// The name without the `@<address>` parts that automatic rows get.
    static func baseName(_ name: String) -> String {
        var name = name[...]
        while let at = name.lastIndex(of: "@"), IPAddress(name[name.index(after: at)...]) != nil { name = name[..<at] }
        return String(name)
    }

    // MARK: Positions in the stream

    func cursor(of id: Int64) -> StreamCursor {
        state.withLock { state in
            if let position = state.positions[id] { return .change(position) }
            return state.bouncers[id]?.lastPull.map { .time(nanoseconds: $0.nanoseconds) } ?? .start
        }
    }

    /// A stream answer arrived whole: the bouncer has seen the log up to `change`; `time` is when its request began.
    func delivered(to id: Int64, change: UInt64, at time: Timestamp) {
        state.withLock { state in
            guard state.bouncers[id] != nil else { return }
            state.positions[id] = change
            state.bouncers[id]?.lastPull = time
            state.touchedBouncers.insert(id)
        }
    }

    /// What has to be written, forgotten here.
    func takeTouched() -> (machines: [MachineRecord], bouncers: [BouncerRecord]) {
        state.withLock { state in
            defer { (state.touchedMachines, state.touchedBouncers) = ([], []) }
            return (
                state.touchedMachines.compactMap { state.machines[$0] },
                state.touchedBouncers.compactMap { state.bouncers[$0] }
            )
        }
    }
}

extension MachineRecord {
    fileprivate func keepingContact(of old: MachineRecord) -> MachineRecord {
        var merged = self
        (merged.lastPush, merged.lastHeartbeat) = (old.lastPush ?? lastPush, old.lastHeartbeat ?? lastHeartbeat)
        (merged.ipAddress, merged.scenarios, merged.version) = (old.ipAddress, old.scenarios, old.version)
        return merged
    }
}

extension BouncerRecord {
    fileprivate func keepingContact(of old: BouncerRecord) -> BouncerRecord {
        var merged = self
        merged.lastPull = old.lastPull ?? lastPull
        (merged.ipAddress, merged.type, merged.version) = (old.ipAddress, old.type, old.version)
        return merged
    }
}
