import CrowdCore
import CrowdEngine
import Glibc
import Logging
import NIOCore
import Synchronization

/// Takes syslog messages over UDP, TCP or TLS.
///
/// Datagrams cannot wait: when the engine is behind and the queue full, they are dropped and counted, those that the
/// kernel dropped for want of room too. Streams wait, and with them their senders.
final class SyslogSource: DataSource {
    private static let receiveBufferBytes: Int32 = 4 << 20
    private static let mostConnections = 1_024
    private static let mostTogether = 1_024
    private static let manyTogether = 16
    private static let roomToGather = 2 << 20
    private static let gatheringMicroseconds: UInt32 = 1_000

    private let config: SyslogSourceConfig
    private let context: AcquisitionContext
    private let begun = Atomic(false)

    init(_ config: SyslogSourceConfig, _ context: AcquisitionContext) {
        self.config = config
        self.context = context
    }

    var name: String { "syslog:\(config.address):\(config.port)" }
    var module: String { "syslog" }
    var isFinite: Bool { false }
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    func run(into queue: LineQueue, until stop: StopFlag) throws {
        switch config.transport {
        case .udp: try takeDatagrams(into: queue, until: stop)
        case .tcp, .tls: try takeStreams(into: queue, until: stop)
        }
    }

    private func isListening() {
        context.log.info(
            "Listening for syslog messages. protocol=\(config.transport) address=\(config.address) port=\(config.port)")
        begun.store(true, ordering: .releasing)
    }

    // MARK: streams

    private func takeStreams(into queue: LineQueue, until stop: StopFlag) throws {
        let tls = try config.tls?.context()
        let collector = SyslogCollector(SyslogRound(config, context, into: queue, waits: true))
        let listener = StreamListener(limit: Self.mostConnections, log: context.log)
        let (limit, log) = (config.maxMessageBytes, context.log)
        try listener.listen(at: .tcp(address: config.address, port: config.port), tls: tls) { channel in
            let sender = channel.remoteAddress?.ipAddress.flatMap { IPAddress($0) }
            try channel.pipeline.syncOperations.addHandler(
                SyslogConnection(sender, limit: limit, collector, listener, log))
        }
        isListening()
        while !stop.isSet { usleep(100_000) }
        listener.close()
    }

    // MARK: datagrams

    private func takeDatagrams(into queue: LineQueue, until stop: StopFlag) throws {
        let socket = try DatagramSocket(address: config.address, port: config.port, buffer: Self.receiveBufferBytes)
        isListening()
        var round = SyslogRound(config, context, into: queue, waits: false)
        var lost = KernelDrops()
        var lag = SourceLag("\(config.address):\(config.port)", module: "syslog", type: config.common.type, context)
        let slots = DatagramSlots(slotBytes: min(config.maxMessageBytes, 65_536))
        // Once told to stop, what has arrived already is still taken.
        var isLast = false
        var isBusy = false
        while !isLast {
            isLast = stop.isSet
            guard socket.waits(milliseconds: isLast ? 0 : 200) else {
                lag.isAtEnd()
                round.drop(lost.news(of: socket))
                continue
            }
            // While many come and there is room, a few more are waited for: taken together they cost half.
            if isBusy, socket.roomBytes >= Self.roomToGather { usleep(Self.gatheringMicroseconds) }
            var taken = 0
            while taken < Self.mostTogether {
                let count = socket.receive(into: slots) { round.take($1, from: $0) }
                guard count > 0 else { break }
                taken += count
            }
            round.deliver()
            isBusy = taken >= Self.manyTogether
            if taken >= Self.mostTogether {
                isLast = false
                lag.isReading { Int64(socket.waitingBytes) }
            } else {
                lag.isAtEnd()
            }
            round.drop(lost.news(of: socket))
        }
    }
}

/// Datagrams that found no room in the socket's buffer.
private struct KernelDrops {
    private var known: UInt32?
    private var asked = Timestamp(nanoseconds: 0)

    /// How many more since it was last asked; once in a tenth of a second.
    mutating func news(of socket: DatagramSocket) -> Int {
        let time = Timestamp.now()
        guard time - asked > .milliseconds(100) else { return 0 }
        asked = time
        guard let now = socket.drops else { return 0 }
        defer { known = now }
        return Int(now &- (known ?? 0))
    }
}
