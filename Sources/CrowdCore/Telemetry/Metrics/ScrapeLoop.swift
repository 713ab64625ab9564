internal import Glibc

/// Serves scrapers on one thread with `poll`: few connections, one request each, all bounded in size and time.
///
/// Ends when the listening socket is shut down, and closes it then.
struct ScrapeLoop {
    /// More wait in the listening socket's queue.
    private static let maximumConnections = 16

    private let listener: Int32
    private let respond: (ScrapeRequest) -> ScrapeAnswer
    private var connections: [ScrapeConnection] = []

    /// - Parameter listener: listening; the loop's from now on.
    init(listener: Int32, respond: @escaping (ScrapeRequest) -> ScrapeAnswer) {
        self.listener = listener
        self.respond = respond
    }

    /// Blocks the calling thread.
    mutating func run() {
        _ = fcntl(listener, F_SETFL, fcntl(listener, F_GETFL, 0) | O_NONBLOCK)
        while step() {}
        for connection in connections { close(connection.fd) }
        close(listener)
    }

    private mutating func step() -> Bool {
        var waits = connections.map { pollfd(fd: $0.fd, events: $0.events, revents: 0) }
        let hasRoom = connections.count < Self.maximumConnections
        waits.append(pollfd(fd: listener, events: Int16(hasRoom ? POLLIN : 0), revents: 0))
        // An idle listener sleeps until somebody comes; otherwise deadlines are looked at once a second.
        let time: Int32 = connections.isEmpty ? -1 : 1000
        guard poll(&waits, nfds_t(waits.count), time) >= 0 || errno == EINTR else { return false }
        proceed(waits)
        let listening = waits[waits.count - 1].revents
        if listening & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { return false }
        if listening != 0 { accept() }
        return true
    }

    private mutating func proceed(_ waits: [pollfd]) {
        let now = ContinuousClock.now
        var open: [ScrapeConnection] = []
        for (index, connection) in connections.enumerated() {
            var connection = connection
            let goesOn = waits[index].revents == 0 || connection.proceed(respond)
            if goesOn && now < connection.deadline { open.append(connection) } else { close(connection.fd) }
        }
        connections = open
    }

    private mutating func accept() {
        let fd = Glibc.accept(listener, nil, nil)
        if fd >= 0 {
            _ = fcntl(fd, F_SETFD, FD_CLOEXEC)
            _ = fcntl(fd, F_SETFL, O_NONBLOCK)
            connections.append(ScrapeConnection(fd: fd))
        } else if errno == EMFILE || errno == ENFILE {
            usleep(100_000)  // the one that waits stays in the queue: without a pause this would spin
        }
    }
}
