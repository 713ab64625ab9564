import CrowdCore
import Synchronization

/// Named caches that parsers write to and `GetFromStash` reads (engine facts B.7). Bounded in size and time.
public final class Stashes: Sendable {
    private struct Entry {
        var value: [UInt8]
        var expires: Timestamp
        var touched: UInt64
    }

    private struct Stash {
        var size: Int
        var entries: [[UInt8]: Entry] = [:]
    }

    private let stashes = Mutex<(all: [String: Stash], clock: UInt64)>(([:], 0))

    /// No parser declares one.
    var isEmpty: Bool { stashes.withLock { $0.all.isEmpty } }

    func declare(_ name: String, size: Int) {
        stashes.withLock { state in
            if let known = state.all[name]?.size {
                state.all[name]?.size = max(known, size)
            } else {
                state.all[name] = Stash(size: size)
            }
        }
    }

    func set(_ key: ByteSlice, _ value: ByteSlice, in name: String, ttl: GoDuration, now: Timestamp) {
        stashes.withLock { state in
            state.clock += 1
            let entry = Entry(value: Array(value.buffer), expires: now + ttl, touched: state.clock)
            state.all[name]?.entries[Array(key.buffer)] = entry
            guard let stash = state.all[name], stash.entries.count > stash.size else { return }
            let oldest = stash.entries.min { $0.value.touched < $1.value.touched }
            if let oldest { state.all[name]?.entries[oldest.key] = nil }
        }
    }

    /// For snapshots.
    func write(to writer: inout ByteWriter) {
        stashes.withLock { state in
            writer.number(UInt32(state.all.count))
            for (name, stash) in state.all {
                writer.text(name)
                writer.number(UInt32(stash.entries.count))
                for (key, entry) in stash.entries {
                    writer.text(key)
                    writer.text(entry.value)
                    writer.time(entry.expires)
                    writer.number(entry.touched)
                }
            }
        }
    }

    /// Entries of stashes that no parser declares any more are left out.
    func read(_ reader: inout ByteReader) throws(DamagedBytes) {
        for _ in 0..<(try reader.count()) {
            let name = try reader.string()
            for _ in 0..<(try reader.count()) {
                let key = Array(try reader.text().buffer)
                let entry = Entry(
                    value: Array(try reader.text().buffer), expires: try reader.time(), touched: try reader.number())
                stashes.withLock { state in
                    state.all[name]?.entries[key] = entry
                    state.clock = max(state.clock, entry.touched)
                }
            }
        }
    }

    func find(_ key: ByteSlice, in name: String, now: Timestamp, arena: Arena) -> ByteSlice? {
        let value: [UInt8]? = stashes.withLock { state in
            state.clock += 1
            let key = Array(key.buffer)
            guard let entry = state.all[name]?.entries[key] else { return nil }
            guard now < entry.expires else {
                state.all[name]?.entries[key] = nil
                return nil
            }
            state.all[name]?.entries[key]?.touched = state.clock
            return entry.value
        }
        return value.map { arena.copy($0) }
    }

    /// Live entries by stash, for `cs_cache_size`.
    public var sizes: [(name: String, count: Int)] {
        stashes.withLock { state in state.all.map { ($0.key, $0.value.entries.count) } }
    }
}
