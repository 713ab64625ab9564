import CrowdCore
import CrowdStore
import Synchronization

/// The bouncer behind a request.
struct BouncerIdentity: Sendable, Equatable {
    var id: Int64
    var name: String
}

/// Machines and bouncers as the database has them.
struct KnownClients: Sendable {
    var machines: [MachineRecord]
    var scopes: [String: MachineScope]
    var bouncers: [BouncerRecord]

    init(from session: any SQLSession) throws(StoreError) {
        machines = try MachineQueries.all(in: session)
        scopes = try MachineQueries.scopes(in: session)
        bouncers = try BouncerQueries.all(in: session)
    }
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
        /// Of machines with a limit, known or not.
        var scopes: [String: MachineScope] = [:]
        var bouncers = BouncerTable()
        /// Number of the last change each bouncer has seen, in this process.
        var positions: [Int64: UInt64] = [:]
        var touchedMachines: Set<String> = []
        var touchedBouncers = TouchedRows()
    }

    private let state = Mutex(State())

    /// Takes over what the database holds; newer contact facts of this process stay.
    func load(_ clients: KnownClients) {
        let (machines, bouncers) = (clients.machines, clients.bouncers)
        state.withLock { state in
            state.scopes = clients.scopes
            let (oldMachines, oldBouncers) = (state.machines, state.bouncers)
            state.machines = [:]
            for machine in machines {
                state.machines[machine.machineID] =
                    oldMachines[machine.machineID].map(machine.keepingContact) ?? machine
            }
            state.bouncers = BouncerTable()
            for bouncer in bouncers {
                state.bouncers.insert(oldBouncers[bouncer.id].map(bouncer.keepingContact) ?? bouncer)
            }
            state.positions = state.positions.filter { state.bouncers[$0.key] != nil }
        }
    }

    // MARK: Machines

    func machine(_ id: String) -> MachineRecord? { state.withLock { $0.machines[id] } }
    func scope(of id: String) -> MachineScope { state.withLock { $0.scopes[id] ?? .full } }
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
    func bouncer(named name: String) -> BouncerRecord? { state.withLock { $0.bouncers[name: name] } }
    func add(_ bouncer: BouncerRecord) { _ = state.withLock { $0.bouncers.insert(bouncer) } }

    func touchBouncer(_ id: Int64, _ change: (inout BouncerRecord) -> Void) {
        state.withLock { state in
            if state.bouncers.update(id, change) { state.touchedBouncers.insert(id) }
        }
    }

    func judge(keyHash: String, client: String, isHead: Bool) -> KeyVerdict {
        state.withLock { $0.bouncers.judge(keyHash: keyHash, client: client, isHead: isHead) }
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
            _ = state.bouncers.update(id) { $0.lastPull = time }
            state.touchedBouncers.insert(id)
        }
    }

    /// Puts back what could not be written.
    func touchAgain(_ machines: [MachineRecord], _ bouncers: [BouncerRecord]) {
        state.withLock { state in
            for machine in machines { state.touchedMachines.insert(machine.machineID) }
            for bouncer in bouncers { state.touchedBouncers.insert(bouncer.id) }
        }
    }

    /// What is to be written now, forgotten here. Of many bouncers those whose turn it is: each poll touches one, and what
    /// is written of it is the time. `all`: of all of them.
    func takeTouched(all: Bool = false) -> (machines: [MachineRecord], bouncers: [BouncerRecord]) {
        state.withLock { state in
            defer { state.touchedMachines = [] }
            return (
                state.touchedMachines.compactMap { state.machines[$0] },
                state.touchedBouncers.take(all: all).compactMap { state.bouncers[$0] }
            )
        }
    }
}

/// Rows to be written, the longest touched first, each once.
///
/// A few are taken whole. Of many an eighth is taken each time, so that a second's work stays small and even however
/// many poll, and none waits for more than some fifteen times.
struct TouchedRows: Sendable {
    static let few = 32

    private var queue: [Int64] = []
    private var waiting: Set<Int64> = []

    mutating func insert(_ row: Int64) {
        if waiting.insert(row).inserted { queue.append(row) }
    }

    mutating func take(all: Bool) -> [Int64] {
        let taken = Array(queue.prefix(all ? .max : max(Self.few, queue.count / 8)))
        queue.removeFirst(taken.count)
        waiting.subtract(taken)
        return taken
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
