import CrowdCore
import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A listener of one data source with all its connections, on one thread of its own.
///
/// A handler that waits for room in the queue holds back every sender of the source: that is how a source which can wait
/// waits, and it is why the thread is shared with nobody.
final class StreamListener: Sendable {
    enum Place: Sendable {
        case tcp(address: String, port: Int)
        /// A unix socket; one that a dead process left behind is replaced.
        case unix(path: String)
    }

    /// Puts its handlers behind a new connection; called on the listener's thread.
    typealias SetUp = @Sendable (any Channel) throws -> Void

    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let log: Logger
    private let limit: Int
    private let open = Atomic(0)
    private let refused = Atomic(0)
    private let arrivals = Atomic(0)
    private static let quietRounds = 4

    /// - Parameter limit: more connections than this are closed at once.
    init(limit: Int, log: Logger) {
        self.limit = limit
        self.log = log
    }

    /// Begins to listen at one more place.
    ///
    /// - Throws: `listen tcp 127.0.0.1:514: bind: address already in use`.
    /// - Returns: the port.
    @discardableResult
    func listen(at place: Place, tls: NIOSSLContext?, _ setUp: @escaping SetUp) throws(ConfigError) -> Int {
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try self.admit(channel, tls, setUp) }
            }
        do {
            switch place {
            case .tcp(let address, let port):
                return try bootstrap.bind(host: address, port: port).wait().localAddress?.port ?? port
            case .unix(let path):
                _ = try bootstrap.bind(unixDomainSocketPath: path, cleanupExistingSocketFile: true).wait()
                return 0
            }
        } catch {
            throw ConfigError("\(place): \(Self.reason(error))")
        }
    }

    private func admit(_ channel: any Channel, _ tls: NIOSSLContext?, _ setUp: SetUp) throws {
        let count = open.wrappingAdd(1, ordering: .relaxed).newValue
        channel.closeFuture.whenComplete { _ in self.open.wrappingSubtract(1, ordering: .relaxed) }
        guard count <= limit else {
            if refused.wrappingAdd(1, ordering: .relaxed).newValue == 1 {
                log.warning("More than \(limit) connections: further ones are closed")
            }
            return channel.close(promise: nil)
        }
        if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls)) }
        try setUp(channel)
    }

    /// Something has arrived: an end waits a little longer.
    func noteArrival() { arrivals.wrappingAdd(1, ordering: .relaxed) }

    /// Ends listening and all connections, after what is under way has been read.
    func close() {
        settle()
        try? group.syncShutdownGracefully()
    }

    /// Waits until the thread has looked at all its sockets several times and found nothing, for two seconds at most.
    private func settle() {
        let loop = group.next()
        let end = ContinuousClock.now + .seconds(2)
        var quiet = 0
        while quiet < Self.quietRounds, ContinuousClock.now < end {
            let before = arrivals.load(ordering: .relaxed)
            usleep(10_000)
            // Behind a task lies a look at the sockets, before it another.
            try? loop.submit {}.wait()
            quiet = arrivals.load(ordering: .relaxed) == before ? quiet + 1 : 0
        }
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        return "bind: \(systemMessage(error.errnoCode))"
    }
}

extension StreamListener.Place: CustomStringConvertible {
    var description: String {
        switch self {
        case .tcp(let address, let port): "listen tcp \(address):\(port)"
        case .unix(let path): "listen unix \(path)"
        }
    }
}
