import Glibc

/// A connection that is made anew after it was lost, with growing pauses between attempts. For one thread.
final class PostgresLink {
    private let settings: PostgresSettings
    private var connection: PostgresConnection?
    private var pause = BackOff()
    /// Told what had to be done to the tables in the midst of work.
    private let repaired: @Sendable ([String]) -> Void

    init(
        _ settings: PostgresSettings, _ connection: PostgresConnection? = nil,
        repaired: @escaping @Sendable ([String]) -> Void
    ) {
        self.settings = settings
        self.connection = connection
        self.repaired = repaired
    }

    /// A connection that was alive a moment ago.
    ///
    /// - Throws: `.unavailable`, at once while a pause lasts.
    func use() throws(StoreError) -> PostgresConnection {
        if let connection, connection.looksAlive {
            if connection.isOutdated { repaired(try connection.repair()) }
            return connection
        }
        connection = nil
        let now = MonotonicTime.milliseconds()
        guard pause.mayTry(at: now) else {
            throw StoreError(.unavailable, "the server was not there; the next attempt comes soon")
        }
        do {
            let fresh = try PostgresConnection(settings)
            pause.succeeded()
            connection = fresh
            return fresh
        } catch {
            pause.failed(at: MonotonicTime.milliseconds())
            throw error
        }
    }
}

/// When to try again after a failure: from 0.1 seconds, doubling, to ten.
struct BackOff {
    private var wait: UInt64 = 0
    private var next: UInt64 = 0

    func mayTry(at now: UInt64) -> Bool { now >= next }

    mutating func failed(at now: UInt64) {
        wait = min(10_000, max(100, wait * 2))
        next = now + wait
    }

    mutating func succeeded() { (wait, next) = (0, 0) }
}

extension PostgresConnection {
    /// Cheap enough before each use: an idle connection has something to read only when the server says farewell, or
    /// after a notification.
    var looksAlive: Bool {
        guard !isLost else { return false }
        guard waits(milliseconds: 0) else { return true }
        return (try? takeNotifications()) != nil
    }

    /// Whether the server has something to say within that time.
    func waits(milliseconds: Int32, or other: Int32 = -1) -> Bool {
        var descriptors = [
            pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&descriptors, other < 0 ? 1 : 2, milliseconds) > 0 else { return false }
        return descriptors[0].revents != 0
    }
}
