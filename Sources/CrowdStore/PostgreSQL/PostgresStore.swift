import CrowdCore
import Glibc
import Synchronization

/// The PostgreSQL driver: one writer thread with group commit, a few reader threads, one that listens for changes.
///
/// Each thread makes its connection anew when it was lost; what was under way then fails, and clients send it again. The
/// writer reads what others committed (`ChangeTable`) between two of its own commits.
public final class PostgresStore: Store {
    private struct State {
        var foreignChange: ForeignChange.Action?
        /// Callers of `catchUp`.
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isDown = false
        var isClosed = false
        /// What was done to tables that another program had changed, and was not told yet.
        var repairs: [String] = []
    }

    private let settings: PostgresSettings
    private let threads = StoreThreads()
    private let state = Mutex(State())
    /// Others have committed something since it was last read.
    private let isNotified = Atomic<Bool>(true)
    private let doorbell: Doorbell
    public let migrations: [String]

    /// How long a change of others may stay unseen when no notification comes.
    private static let readMilliseconds = 1_000

    /// Connects, makes or migrates the schema and starts the threads.
    public init(settings: PostgresSettings, readers: Int = 2) throws(StoreError) {
        self.settings = settings
        guard let doorbell = Doorbell() else { throw StoreError(.other, "the system gives no pipe") }
        self.doorbell = doorbell
        let connection = try PostgresConnection(settings)
        try connection.requireOwnSession(settings)
        migrations = try PostgresSchema.bringUpToDate(connection)
        try startWriter(over: link(connection))
        for _ in 0..<readers { try startReader(over: link()) }
        try startListener(over: link())
    }

    private func link(_ connection: PostgresConnection? = nil) -> PostgresLink {
        PostgresLink(settings, connection) { [weak self] steps in
            guard !steps.isEmpty else { return }
            self?.state.withLock { $0.repairs += steps }
        }
    }

    public func write<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        afterCommit: @escaping @Sendable (R) -> Void
    ) async throws(StoreError) -> R {
        try await threads.write(body, afterCommit: afterCommit)
    }

    public func read<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        try await threads.read(body)
    }

    public func onForeignChange(_ action: @escaping ForeignChange.Action) {
        state.withLock { $0.foreignChange = action }
        threads.writes.wake()
    }

    public var isShared: Bool { true }
    public var isReachable: Bool { state.withLock { !$0.isDown } }

    public func catchUp() async {
        await withCheckedContinuation { continuation in
            let mustWait = state.withLock { state in
                guard !state.isDown, !state.isClosed, state.foreignChange != nil else { return false }
                state.waiting.append(continuation)
                return true
            }
            if mustWait { threads.writes.wake() } else { continuation.resume() }
        }
    }

    /// The write connection holds a session lock for as long as it lives; whoever gets it next goes on.
    public func isKeeper() async -> Bool {
        let (space, number) = (PostgresSchema.Lock.space, PostgresSchema.Lock.keeper.rawValue)
        let isHeld = try? await write { session throws(StoreError) in
            let held =
                try session.first(
                    """
                    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted
                    AND classid = \(space) AND objid = \(number) AND objsubid = 2
                    """, [], { $0.int(0) }) ?? 0
            let isHeld =
                held > 0
                ? true
                : try session.first("SELECT pg_try_advisory_lock(\(space), \(number))", [], { $0.bool(0) }) ?? false
            if isHeld { try ChangeTable.trim(in: session) }
            return isHeld
        }
        return isHeld ?? false
    }

    public func close() async {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
        doorbell.ring()
        await threads.close()
    }

    // MARK: Threads

    private func startWriter(over link: PostgresLink) throws(StoreError) {
        let owned = ThreadOwned(Writer(link: link))
        try threads.start("store-writer") { [self] in
            while let jobs = threads.writes.take(limit: StoreThreads.batch, waitMilliseconds: Self.readMilliseconds) {
                do throws(StoreError) {
                    let connection = try owned.value.link.use()
                    readChanges(&owned.value, connection)
                    GroupCommit.commit(jobs, over: connection)
                } catch {
                    readChanges(&owned.value, nil)
                    for job in jobs { job.fail(error) }
                }
            }
        }
    }

    /// What the writer's thread knows.
    private struct Writer {
        let link: PostgresLink
        var reader = ChangeReader()
        /// The connection that `reader` has followed on: its own changes are not told.
        var session = ""
        var readAt: UInt64 = 0
    }

    /// Reads the changes of others when there may be some, or somebody waits for it; lets the waiting go.
    private func readChanges(_ writer: inout Writer, _ connection: PostgresConnection?) {
        let (action, waiting, repairs) = state.withLock { state in
            state.isDown = connection == nil
            defer { (state.waiting, state.repairs) = ([], []) }
            return (state.foreignChange, state.waiting, state.repairs)
        }
        defer { for continuation in waiting { continuation.resume() } }
        guard let connection, let action else { return }
        if !repairs.isEmpty { try? action(.repaired(repairs), connection) }
        let now = MonotonicTime.milliseconds()
        let isDue = now - writer.readAt >= UInt64(Self.readMilliseconds)
        guard isNotified.exchange(false, ordering: .acquiring) || isDue || !waiting.isEmpty else { return }
        if writer.session != connection.session {
            (writer.reader, writer.session) = (ChangeReader(), connection.session)
        }
        writer.readAt = now
        do { try writer.reader.read(from: connection, action) } catch {
            isNotified.store(true, ordering: .releasing)
        }
    }

    private func startReader(over link: PostgresLink) throws(StoreError) {
        let owned = ThreadOwned(link)
        try threads.start("store-reader") { [self] in
            while let jobs = threads.reads.take(limit: 1, waitMilliseconds: 60_000) {
                for job in jobs {
                    do throws(StoreError) {
                        StoreThreads.perform(job, over: try owned.value.use())
                    } catch {
                        job.fail(error)
                    }
                }
            }
        }
    }

    private func startListener(over link: PostgresLink) throws(StoreError) {
        let owned = ThreadOwned(link)
        try threads.start("store-listener") { [self] in
            var listening = ""
            while !state.withLock({ $0.isClosed }) {
                do throws(StoreError) {
                    let connection = try owned.value.use()
                    if listening != connection.session {
                        try connection.execute("LISTEN crowd_changes")
                        listening = connection.session
                    }
                    guard connection.waits(milliseconds: 5_000, or: doorbell.descriptor) else { continue }
                    if try connection.takeNotifications() {
                        isNotified.store(true, ordering: .releasing)
                        threads.writes.wake()
                    }
                } catch {
                    doorbell.wait(milliseconds: 500)
                }
            }
        }
    }
}

/// Wakes a thread that waits in `poll`.
private struct Doorbell: Sendable {
    let descriptor: Int32
    private let sending: Int32

    init?() {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { return nil }
        (descriptor, sending) = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    }

    func ring() {
        var byte: UInt8 = 1
        _ = Glibc.write(sending, &byte, 1)
    }

    func wait(milliseconds: Int32) {
        var descriptors = [pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)]
        poll(&descriptors, 1, milliseconds)
    }
}
