import CrowdCore
import CrowdEngine
import Logging

/// Messages that arrived together, by sender, on their way into the queue.
///
/// Senders are bounded, since source addresses of datagrams may be invented.
struct SyslogRound {
    /// Lines of one sender go on once there are so many bytes of them.
    private static let batchBytes = 256 * 1024
    private static let mostSenders = 1_024

    private struct Sender {
        var origin: LineOrigin
        var hits: Counter
        var lines = LineCollector()
    }

    private let config: SyslogSourceConfig
    private let context: AcquisitionContext
    private let queue: LineQueue
    private let waits: Bool
    private let parsed: [SyslogMessage.Format: Counter]
    private let type: String
    private let dropCounter: Counter
    private var senders: [IPAddress?: Sender] = [:]
    /// The one whose message came last, taken out of the others: messages of one sender mostly follow each other.
    private var current: (address: IPAddress?, sender: Sender)?
    private var line: [UInt8] = []
    private var reported = 0
    private var dropped = 0

    /// - Parameter waits: whether a full queue is waited for; messages are dropped and counted otherwise.
    init(_ config: SyslogSourceConfig, _ context: AcquisitionContext, into queue: LineQueue, waits: Bool) {
        self.config = config
        self.context = context
        self.queue = queue
        self.waits = waits
        let type = config.common.type
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
        dropCounter = context.metrics.counter(.linesDropped, [("source", "syslog"), ("acquis_type", type)])
    }

    mutating func take(_ bytes: ByteSlice, from address: IPAddress?) {
        if current == nil || current?.address != address { turn(to: address) }
        current?.sender.hits.add(1)
        guard makeLine(bytes, from: address) else { return }
        line.withUnsafeBufferPointer { current?.sender.lines.append(ByteSlice($0)) }
        if current?.sender.lines.byteCount ?? 0 > Self.batchBytes { deliverCurrent() }
    }

    private mutating func turn(to address: IPAddress?) {
        let next = senders.removeValue(forKey: address) ?? makeSender(address)
        if let current { senders[current.address] = current.sender }
        current = (address, next)
    }

    private func makeSender(_ address: IPAddress?) -> Sender {
        let name = address?.unmapped.description ?? "unknown"
        return Sender(
            origin: LineOrigin(
                source: name, module: "syslog", labels: config.common.labels, isReplay: config.common.isReplay),
            hits: context.metrics.counter(
                .syslogSourceHits, [("source", name), ("datasource_type", "syslog"), ("acquis_type", type)]))
    }

    /// Puts one line without line breaks into `line`: a message may hold what it likes. False when there is none.
    private mutating func makeLine(_ bytes: ByteSlice, from address: IPAddress?) -> Bool {
        line.removeAll(keepingCapacity: true)
        if config.skipsParser {
            var text = SyslogText(bytes)
            _ = text.priority()
            line += text.rest.buffer
        } else {
            guard let message = SyslogMessage(bytes) else {
                report("A message is neither RFC 3164 nor RFC 5424 and was dropped.", of: address)
                return false
            }
            parsed[message.format]?.add(1)
            message.write(to: &line, now: .now())
        }
        for index in line.indices where line[index] == 10 || line[index] == 13 { line[index] = 32 }
        return !line.isEmpty
    }

    /// Senders write what they like: ten complaints are enough.
    private mutating func report(_ text: String, of address: IPAddress?) {
        reported += 1
        guard reported <= 10 else { return }
        context.log.error("\(text) sender=\(address?.unmapped.description ?? "unknown")")
    }

    /// Hands over what there is.
    mutating func deliver() {
        deliverCurrent()
        for address in senders.keys {
            guard let origin = senders[address]?.origin, let batch = senders[address]?.lines.batch(origin) else {
                continue
            }
            deliver(batch)
        }
        if senders.count > Self.mostSenders { senders = [:] }
    }

    private mutating func deliverCurrent() {
        guard let origin = current?.sender.origin, let batch = current?.sender.lines.batch(origin) else { return }
        deliver(batch)
    }

    private mutating func deliver(_ batch: LineBatch) {
        if waits {
            _ = queue.put(batch)
        } else if !queue.offer(batch) {
            drop(batch.count)
        }
    }

    mutating func drop(_ count: Int) {
        guard count > 0 else { return }
        if dropped == 0 { context.log.warning("Syslog messages come faster than they are parsed: some are dropped") }
        dropped += count
        dropCounter.add(UInt64(count))
    }
}
