/// One `write` or `read` call on its way.
struct StoreJob: Sendable {
    /// Does the work and returns what to do once it is durable.
    var perform: @Sendable (any SQLSession) throws(StoreError) -> @Sendable () -> Void
    var fail: @Sendable (StoreError) -> Void
}

/// Many writes in one transaction.
///
/// (1) A batch is one transaction. Jobs hardly ever throw, so it is tried without savepoints first; when one throws, all of
///     it is done again with a savepoint for each job, so that the one undoes itself only. A job may thus run twice.
/// (2) When the batch as a whole cannot be committed (full disk, lock), each job is tried again in a transaction of
///     its own, so that a small write still succeeds where a large one cannot. Not so when the connection is lost:
///     whether the batch was committed is not known then.
/// (3) Completions run in job order, after the commit.
enum GroupCommit {
    static func commit(_ jobs: [StoreJob], over connection: any SQLConnection) {
        guard !jobs.isEmpty else { return }
        if jobs.count == 1 { return commitAlone(jobs[0], over: connection) }
        if let completions = try? connection.transaction({ () throws(StoreError) in
            try performUnprotected(jobs, over: connection)
        }) {
            for completion in completions { completion() }
            return
        }
        do {
            let completions = try connection.transaction { () throws(StoreError) in
                try performAll(jobs, over: connection)
            }
            for completion in completions { completion() }
        } catch {
            for job in jobs {
                if error.kind == .unavailable { job.fail(error) } else { commitAlone(job, over: connection) }
            }
        }
    }

    private static func performUnprotected(_ jobs: [StoreJob], over connection: any SQLConnection)
        throws(StoreError) -> [@Sendable () -> Void]
    {
        var completions: [@Sendable () -> Void] = []
        completions.reserveCapacity(jobs.count)
        for job in jobs { completions.append(try job.perform(connection)) }
        return completions
    }

    private static func performAll(_ jobs: [StoreJob], over connection: any SQLConnection) throws(StoreError)
        -> [@Sendable () -> Void]
    {
        var completions: [@Sendable () -> Void] = []
        completions.reserveCapacity(jobs.count)
        for job in jobs {
            do {
                completions.append(
                    try connection.savepoint { () throws(StoreError) in try job.perform(connection) })
            } catch {
                guard connection.isInTransaction else { throw error }
                completions.append { job.fail(error) }
            }
        }
        return completions
    }

    private static func commitAlone(_ job: StoreJob, over connection: any SQLConnection) {
        do {
            let completion = try connection.transaction { () throws(StoreError) in try job.perform(connection) }
            completion()
        } catch {
            job.fail(error)
        }
    }
}
