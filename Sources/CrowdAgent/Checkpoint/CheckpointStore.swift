import CrowdCore
import Glibc
import Logging
import Synchronization

/// The agent's state on disk: a checkpoint now and then, a redo log in between.
///
///     start ──► read checkpoint n, redo logs n, n+1, … ──► process again ──► checkpoint
///     batch ──► a redo record, then the lines, then the alerts to the spool; once it has them on disk, or the Local API
///               has them, a record of their uuids
///     now and then ──► the spool writes what waits ──► redo log n+1 begins ──► checkpoint n+1 is written aside, synced, renamed ──► older logs go, but for one that
///               the next begins over
///
/// A kill at any moment leaves a whole checkpoint and the logs from its number on. Since buckets depend on lines and on
/// recorded times alone, processing again gives the same alerts with the same uuids.
final class CheckpointStore: @unchecked Sendable {
    // Sendable: the thread that writes a checkpoint touches what is constant only; `redo` locks, since the sender of alerts
    // notes them too; all else is the engine thread's.
    private let directory: String
    private let log: Logger
    private let redo = Mutex<RedoLog?>(nil)
    private var generation: UInt64 = 0
    private let isWriting = Atomic(false)
    private let hasComplained = Atomic(false)
    /// When the checkpoint that was found had been written; nil when there was none.
    private(set) var savedAt: Timestamp?

    private static let mostSpareBytes = off_t(EngineLoop.mostRedoBytes)

    private var path: String { directory + "/checkpoint" }
    private var attemptsPath: String { directory + "/recovering" }
    private var sparePath: String { directory + "/redo.spare" }
    private func redoPath(_ generation: UInt64) -> String { directory + "/redo.\(generation)" }

    init(directory: String, log: Logger) {
        self.directory = directory
        self.log = log
        mkdir(directory, 0o700)
    }

    // MARK: start

    /// What an earlier agent left; a new beginning when there is nothing or it cannot be read, which is said.
    func recover() -> (checkpoint: Checkpoint, redo: [RedoRecord]) {
        let generations = redoGenerations
        var checkpoint = Checkpoint()
        if FileContents.exists(path) {
            do {
                checkpoint = try Checkpoint(FileContents.read(path, limit: 1 << 30))
                savedAt = Self.modified(path)
            } catch {
                log.error(
                    "The checkpoint cannot be read, logs are followed from their end. file=\(path) error=\"\(error)\"")
                for old in generations { unlink(redoPath(old)) }
            }
        }
        generation = max(checkpoint.generation, generations.last ?? 0)
        let records = generations.filter { $0 >= checkpoint.generation }.flatMap {
            RedoLog.records(of: redoPath($0), generation: $0)
        }
        return (checkpoint, records)
    }

    private static func modified(_ path: String) -> Timestamp? {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        return Timestamp(seconds: Int64(info.st_mtim.tv_sec), nanosecond: Int64(info.st_mtim.tv_nsec))
    }

    /// How many recoveries in a row did not come to their end: killed, or brought down by what they read.
    func beginRecovery() -> Int {
        let text = (try? FileContents.read(attemptsPath, limit: 16)).map { String(decoding: $0, as: UTF8.self) }
        let failed = text.flatMap(Int.init) ?? 0
        try? FileContents.write(Array(String(failed + 1).utf8), to: attemptsPath, mode: 0o600)
        return failed
    }

    func endRecovery() { unlink(attemptsPath) }

    private var redoGenerations: [UInt64] {
        FileContents.names(in: directory).compactMap { name in
            name.hasPrefix("redo.") ? UInt64(name.dropFirst(5)) : nil
        }.sorted()
    }

    // MARK: running

    /// Bytes in the current redo log.
    var redoBytes: Int { redo.withLock { $0?.bytes ?? 0 } }

    func note(_ record: RedoRecord) {
        do {
            try redo.withLock { redo throws(SystemFailure) in try redo?.append(record) }
        } catch {
            complain("Progress is not recorded until the next checkpoint", error)
        }
    }

    /// Begins the next redo log and hands out the number of the checkpoint that it follows; nil while the last one is
    /// still being written.
    func begin() -> UInt64? {
        guard !isWriting.load(ordering: .acquiring) else { return nil }
        do {
            let next = generation + 1
            try redo.withLock { redo throws(SystemFailure) in
                redo = try RedoLog(path: redoPath(next), generation: next, spare: sparePath)
            }
            generation = next
            return generation
        } catch {
            complain("No checkpoint can be written", error)
            return nil
        }
    }

    /// Puts a checkpoint in force.
    ///
    /// - Parameter waits: false leaves the writing and syncing to a thread of its own.
    func commit(_ checkpoint: Checkpoint, waits: Bool) {
        let bytes = checkpoint.bytes
        let generation = checkpoint.generation
        guard !waits else { return write(bytes, generation) }
        isWriting.store(true, ordering: .releasing)
        let started = PlainThread.start("checkpoint") { [self] in
            write(bytes, generation)
            isWriting.store(false, ordering: .releasing)
        }
        if !started { isWriting.store(false, ordering: .releasing) }
    }

    /// Waits for a checkpoint that is being written.
    func settle() {
        while isWriting.load(ordering: .acquiring) { usleep(1_000) }
    }

    private func write(_ bytes: [UInt8], _ generation: UInt64) {
        do {
            try FileContents.replace(path, with: bytes, mode: 0o600)
            for old in redoGenerations where old < generation { retire(redoPath(old)) }
        } catch {
            log.error("The checkpoint could not be written, the last one stays in force. error=\"\(error)\"")
        }
    }

    /// Keeps the longest of the logs that are no longer needed for the next one to be written over.
    private func retire(_ path: String) {
        let length = Self.length(path)
        guard length > Self.length(sparePath), rename(path, sparePath) == 0 else {
            unlink(path)
            return
        }
        if length > Self.mostSpareBytes { truncate(sparePath, Self.mostSpareBytes) }
    }

    private static func length(_ path: String) -> off_t {
        var info = stat()
        return stat(path, &info) == 0 ? info.st_size : -1
    }

    private func complain(_ what: String, _ error: SystemFailure) {
        if !hasComplained.exchange(true, ordering: .relaxed) { log.error("\(what). error=\"\(error)\"") }
    }
}
