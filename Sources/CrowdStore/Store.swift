/// The durable record of alerts, decisions, machines and bouncers: one protocol, one driver per database.
///
/// (1) `write` returns only when its transaction is durable. Many calls share one transaction (group commit); each has
///     its own savepoint, so one that throws undoes its own changes and no other's.
/// (2) `afterCommit` runs on the writer's thread in commit order, before `write` returns: memory that mirrors the
///     database is changed there, and so in the same order.
/// (3) `read` sees all writes that have returned; reads run beside the writer and never wait for it.
/// (4) `onForeignChange` is called, within a second, after another process or replica has changed the database.
public protocol Store: Sendable {
    func write<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        afterCommit: @escaping @Sendable (R) -> Void
    ) async throws(StoreError) -> R

    func read<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R
    ) async throws(StoreError) -> R

    /// Sets what to call after others have changed the database: on the writer's thread, between two commits, with a
    /// session that sees what has to be read. When it throws it is called again later.
    func onForeignChange(_ action: @escaping ForeignChange.Action)

    /// Returns when what other replicas had committed before the call has been told to `onForeignChange`; at once where
    /// there can be no other replica, or the database is out of reach.
    func catchUp() async

    /// False while the database's server is known to be out of reach; a file is always there.
    var isReachable: Bool { get }

    /// Whether other servers may be at work on the same database.
    var isShared: Bool { get }

    /// Whether the periodic work is this process' to do: of several replicas over one database it is one's.
    func isKeeper() async -> Bool

    /// What was done to a database of an older form, a line for each step.
    var migrations: [String] { get }

    /// Finishes what was handed over and closes; later calls throw `.closed`.
    func close() async
}

/// What another process or replica has changed.
public enum ForeignChange: Sendable {
    /// Something: everything is to be compared.
    case anything
    /// Machines, bouncers or allowlists.
    case clients
    /// Tables were in an older form and are in the present one again; a line for each step.
    case repaired([String])
    /// These decisions came or have another end; those are gone.
    case decisions([DecisionRecord], gone: [Int64])

    public typealias Action = @Sendable (ForeignChange, any SQLSession) throws(StoreError) -> Void
}

extension Store {
    public func write<R: Sendable>(
        _ body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R
    ) async throws(StoreError) -> R {
        try await write(body, afterCommit: { _ in })
    }

    /// As `write`, with the failure as a value.
    public func outcome<R: Sendable>(
        of body: @escaping @Sendable (any SQLSession) throws(StoreError) -> R,
        afterCommit: @escaping @Sendable (R) -> Void
    ) async -> Result<R, StoreError> {
        do { return .success(try await write(body, afterCommit: afterCommit)) } catch { return .failure(error) }
    }
}
