import CrowdCore
import CrowdTestSupport
import Glibc
import Logging
import Synchronization
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

/// Runs a source as the agent does and takes what it brings.
final class SourceHarness: Sendable {
    static let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let queue: LineQueue
    private let supervisor: SourceSupervisor
    private let done = Completion<Bool>()

    init(_ source: any DataSource, queue: LineQueue = LineQueue()) {
        self.queue = queue
        supervisor = SourceSupervisor([source], into: queue, log: Self.log)
        supervisor.start { [done] in done.set(true) }
        supervisor.waitUntilBegun(milliseconds: 10_000)
    }

    deinit { supervisor.stop.set() }

    /// Why a source that reads once could not.
    var failure: (any Error)? { supervisor.failure }

    /// A line with what came with it.
    struct Line: Equatable {
        var text: String
        var source: String
        var labels: [String]
    }

    /// Takes lines until there are so many, or nothing has come for `seconds`.
    func take(_ count: Int, seconds: Int = 10, _ cursors: SourceCursors? = nil) -> [Line] {
        var lines: [Line] = []
        var idle = 0
        while lines.count < count, idle < seconds * 10 {
            guard case .batch(let batch) = queue.take(within: 100) else {
                idle += 1
                continue
            }
            idle = 0
            lines += account(batch, cursors)
        }
        return lines
    }

    /// Takes what is there within a moment.
    func takeSome(_ cursors: SourceCursors? = nil) -> [Line] {
        guard case .batch(let batch) = queue.take(within: 10) else { return [] }
        return account(batch, cursors)
    }

    /// What the engine does with a batch.
    private func account(_ batch: LineBatch, _ cursors: SourceCursors?) -> [Line] {
        var lines: [Line] = []
        let labels = batch.origin.labels.entries.map { "\($0.name)=\($0.value)" }
        batch.withEachLine {
            lines.append(Line(text: String($0), source: String(batch.origin.source), labels: labels))
        }
        if case .cursor(let source, let cursor) = batch.place {
            cursor.isEmpty ? cursors?.forget(source) : cursors?.save(cursor, of: source)
        }
        batch.onAccounted?()
        return lines
    }

    func texts(_ count: Int, seconds: Int = 10, _ cursors: SourceCursors? = nil) -> [String] {
        take(count, seconds: seconds, cursors).map(\.text)
    }

    /// Stops the source, waits for its end, and gives what it still brought.
    @discardableResult
    func stop(_ cursors: SourceCursors? = nil) -> [String] {
        supervisor.stop.set()
        var rest: [String] = []
        while done.value == nil {
            if case .batch(let batch) = queue.take(within: 10) { rest += account(batch, cursors).map(\.text) }
        }
        queue.close()
        while case .batch(let batch) = queue.take(within: 10) { rest += account(batch, cursors).map(\.text) }
        return rest
    }

    static func yaml(_ text: String) throws -> YAMLNode {
        try #require(try YAML.document(Array(text.utf8), file: "acquis.yaml"))
    }

    static func freePort(_ type: __socket_type = SOCK_STREAM) throws -> Int {
        let probe = socket(AF_INET, Int32(type.rawValue), 0)
        defer { close(probe) }
        _ = SocketAddress.with(try #require(IPAddress("127.0.0.1"))) { bind(probe, $0, $1) }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(probe, $0, &length) }
        }
        return Int(in_port_t(bigEndian: address.sin_port))
    }
}
