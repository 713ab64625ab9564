import CrowdCore
import CrowdEngine
import Glibc
import Logging
import Synchronization

/// Reads the systemd journal through `journalctl`, in its short format, which looks like a syslog line.
///
/// A journal is followed from its end at the first start. Later the program is asked for what came since a moment before the
/// last line, and what was read of that is left out (`JournalSearch`): nothing is lost between two runs, nor while `journalctl`
/// was down and started again, and nothing read twice.
final class JournalSource: DataSource {
    /// `journalctl` writes 4 KiB at a time, and a batch costs what hundreds of lines do: after a read, what comes within this
    /// goes together. A first line is read at once.
    private static let gathering: useconds_t = 10_000
    /// What the system is to keep for it, where it lets us; half of it is enough for a batch.
    private static let pipeBytes = 256 * 1024

    private let config: JournalSourceConfig
    private let context: AcquisitionContext
    private let program: String
    private let begun = Atomic(false)

    init(_ config: JournalSourceConfig, _ context: AcquisitionContext, program: String = "journalctl") {
        self.program = program
        self.config = config
        self.context = context
    }

    var name: String { config.sourceName }
    var module: String { "journalctl" }
    var isFinite: Bool { config.common.mode == .cat }
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    func run(into queue: LineQueue, until stop: StopFlag) throws {
        let cursor = isFinite ? nil : context.cursors.find(name).flatMap(JournalCursor.init)
        let arguments = arguments(cursor)
        context.log.info("Running \(arguments.joined(separator: " "))")
        let program = try RunningProgram(arguments)
        begun.store(true, ordering: .releasing)
        program.keepUnread(atMost: Self.pipeBytes)
        let origin = LineOrigin(
            source: name, module: "journalctl", labels: config.common.labels, isReplay: config.common.isReplay)
        var reader = JournalReader(origin, config.maxLineBytes, cursor, keepsPlace: !isFinite)
        let hits = context.metrics.counter(
            .journalSourceHits,
            [("source", name), ("datasource_type", "journalctl"), ("acquis_type", origin.type)])
        if !isFinite {
            // The place is known from the first moment on.
            let marker = LineBatch(origin, capacity: 0)
            marker.place = .cursor(source: name, reader.place)
            _ = queue.put(marker)
        }
        defer { if !isFinite { context.cursors.save(reader.place, of: name) } }
        let directory = isFinite ? nil : JournalDirectory(config.filters)
        var lag = SourceLag(name, module: "journalctl", type: origin.type, context)
        var buffer = [UInt8](repeating: 0, count: Self.pipeBytes)
        while !stop.isSet {
            let isOpen = read(program, &buffer, &reader, hits, queue)
            if isOpen == false { break }
            if isOpen == true, program.waitingBytes < Self.pipeBytes / 2 { usleep(Self.gathering) }
            let waiting = program.waitingBytes
            if waiting > 0 { lag.isReading { Int64(waiting) } } else { lag.isAtEnd() }
            if waiting == 0, directory?.isReplaced ?? false { throw ConfigError("its directory is another one now") }
        }
        if stop.isSet { return }
        let status = program.wait()
        if isFinite, status == 0 { return }
        throw ConfigError("journalctl ended with status \(status)")
    }

    private func arguments(_ cursor: JournalCursor?) -> [String] {
        guard !isFinite else {
            return [program] + (config.since.isEmpty ? [] : ["--since", config.since]) + config.filters
        }
        guard let cursor else { return [program, "--follow", "-n", "0"] + config.filters }
        return [program, "--follow", "-n", "all", "--since", "@\(cursor.seconds)"] + config.filters
    }

    /// One wait for either pipe; nil when nothing came, false when the output has ended.
    private func read(
        _ program: RunningProgram, _ buffer: inout [UInt8], _ reader: inout JournalReader, _ hits: Counter,
        _ queue: LineQueue
    ) -> Bool? {
        var waiting = [
            pollfd(fd: program.output, events: Int16(POLLIN), revents: 0),
            pollfd(fd: program.errors, events: Int16(POLLIN), revents: 0),
        ]
        guard poll(&waiting, 2, 200) > 0 else {
            hand(reader.isIdle(), hits, queue)
            return nil
        }
        if waiting[1].revents & Int16(POLLIN) != 0 {
            let count = Glibc.read(program.errors, &buffer, 4_096)
            if count > 0 {
                for line in String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n") {
                    context.log.warning("journalctl: \(line)")
                }
            }
        }
        guard waiting[0].revents != 0 else { return nil }
        let count = Glibc.read(program.output, &buffer, buffer.count)
        guard count > 0 else { return count < 0 && errno == EINTR ? nil : false }
        hand(buffer.withUnsafeBufferPointer { reader.cut(UnsafeBufferPointer(rebasing: $0[..<count])) }, hits, queue)
        return true
    }

    private func hand(_ batch: LineBatch?, _ hits: Counter, _ queue: LineQueue) {
        guard let batch else { return }
        hits.add(UInt64(batch.count))
        _ = queue.put(batch)
    }
}
