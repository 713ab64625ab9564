import CrowdCore
import CrowdEngine
import Glibc
import Logging
import Synchronization

/// Takes syslog messages over UDP.
///
/// Datagrams cannot wait: when the engine is behind and the queue full, they are dropped and counted. Senders are
/// bounded, since source addresses of datagrams may be invented.
final class SyslogSource: DataSource {
    private static let mostSenders = 1_024
    private static let receiveBufferBytes: Int32 = 4 << 20

    private let config: SyslogSourceConfig
    private let context: AcquisitionContext
    private let begun = Atomic(false)

    init(_ config: SyslogSourceConfig, _ context: AcquisitionContext) {
        self.config = config
        self.context = context
    }

    var name: String { "syslog:\(config.address):\(config.port)" }
    var isFinite: Bool { false }
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    func run(into queue: LineQueue, until stop: StopFlag) throws {
        let socket = try DatagramSocket(address: config.address, port: config.port, buffer: Self.receiveBufferBytes)
        context.log.info("Listening for syslog messages. address=\(config.address) port=\(config.port)")
        begun.store(true, ordering: .releasing)
        var round = SyslogRound(config, context)
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: 65_536)
        defer { buffer.deallocate() }
        while !stop.isSet {
            guard socket.waits(milliseconds: 200) else { continue }
            // What is there at once goes on together.
            for _ in 0..<512 {
                guard let (sender, count) = socket.receive(into: buffer) else { break }
                let length = min(count, config.maxMessageBytes)
                round.take(UnsafeBufferPointer(rebasing: buffer[0..<length]), from: sender)
            }
            round.deliver(to: queue, mostSenders: Self.mostSenders)
        }
    }
}

/// The messages of one round, by sender.
struct SyslogRound {
    private struct Sender {
        var origin: LineOrigin
        var hits: Counter
        var batch: LineBatch?
    }

    private let config: SyslogSourceConfig
    private let context: AcquisitionContext
    private let parsed: [SyslogMessage.Format: Counter]
    private let type: String
    private var senders: [String: Sender] = [:]
    private var reported = 0
    private var dropped = 0

    init(_ config: SyslogSourceConfig, _ context: AcquisitionContext) {
        self.config = config
        self.context = context
        let type = config.common.labels.first { $0.0 == "type" }?.1 ?? ""
        self.type = type
        var parsed: [SyslogMessage.Format: Counter] = [:]
        for format in [SyslogMessage.Format.rfc3164, .rfc5424] {
            parsed[format] = context.metrics.counter(
                .syslogSourceParsed,
                [
                    ("source", "\(config.address):\(config.port)"), ("type", format.rawValue),
                    ("datasource_type", "syslog"), ("acquis_type", type),
                ])
        }
        self.parsed = parsed
    }

    mutating func take(_ bytes: UnsafeBufferPointer<UInt8>, from address: String) {
        var sender = senders[address] ?? makeSender(address)
        sender.hits.add(1)
        if let line = line(ByteSlice(bytes), from: address) {
            let batch = sender.batch ?? LineBatch(sender.origin, capacity: 1 << 20)
            if batch.byteCount + line.count <= 1 << 20 {
                line.withUnsafeBufferPointer { batch.append(ByteSlice($0)) }
            }
            sender.batch = batch
        }
        senders[address] = sender
    }

    private func makeSender(_ address: String) -> Sender {
        Sender(
            origin: LineOrigin(
                source: address, module: "syslog", labels: config.common.labels, isReplay: config.common.isReplay),
            hits: context.metrics.counter(
                .syslogSourceHits, [("source", address), ("datasource_type", "syslog"), ("acquis_type", type)]))
    }

    /// One line without line breaks: a message may hold what it likes.
    private mutating func line(_ bytes: ByteSlice, from address: String) -> [UInt8]? {
        var line: [UInt8]
        if config.skipsParser {
            var text = SyslogText(bytes)
            _ = text.priority()
            line = Array(text.rest.buffer)
        } else {
            guard let message = SyslogMessage(bytes) else {
                report("A message is neither RFC 3164 nor RFC 5424 and was dropped. sender=\(address)")
                return nil
            }
            parsed[message.format]?.add(1)
            line = message.line(now: .now())
        }
        for index in line.indices where line[index] == 10 || line[index] == 13 { line[index] = 32 }
        return line.isEmpty ? nil : line
    }

    /// Senders write what they like: ten complaints are enough.
    private mutating func report(_ text: String) {
        reported += 1
        if reported <= 10 { context.log.error("\(text)") } else { context.log.debug("\(text)") }
    }

    mutating func deliver(to queue: LineQueue, mostSenders: Int) {
        for address in senders.keys {
            guard let batch = senders[address]?.batch else { continue }
            senders[address]?.batch = nil
            if !queue.offer(batch) { drop(batch.count) }
        }
        if senders.count > mostSenders { senders = [:] }
    }

    private mutating func drop(_ count: Int) {
        if dropped == 0 { context.log.warning("Syslog messages come faster than they are parsed: some are dropped") }
        dropped += count
        context.metrics.counter(.linesDropped, [("source", "syslog"), ("acquis_type", type)]).add(UInt64(count))
    }
}
