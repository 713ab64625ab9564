import CrowdCore
import CrowdEngine
import Logging

/// A source whose lines pass through an expression, on a thread between it and the engine.
final class TransformedSource: DataSource {
    /// What may wait before the expression: little, so that a source which is too fast waits as it would without it.
    private static let mostBytes = 1 << 20

    private let source: any DataSource
    private let expression: LineTransformConfig
    private let log: Logger

    /// - Throws: when the expression is none.
    init(_ source: any DataSource, _ expression: LineTransformConfig, log: Logger) throws(ConfigError) {
        _ = try LineTransform(expression, log: log)
        self.source = source
        self.expression = expression
        self.log = log
    }

    var name: String { source.name }
    var module: String { source.module }
    var isFinite: Bool { source.isFinite }
    var hasBegun: Bool { source.hasBegun }

    func run(into queue: LineQueue, until stop: StopFlag) throws {
        let transform = try LineTransform(expression, log: log)
        let inner = LineQueue(maxBytes: Self.mostBytes)
        let outcome = Completion<Result<Void, any Error>>()
        let started = PlainThread.start("source") { [source] in
            outcome.set(Result { try source.run(into: inner, until: stop) })
            inner.close()
        }
        guard started else { throw ConfigError("\(name): no thread for its transform") }
        while true {
            switch inner.take(within: 1_000) {
            case .nothing: continue
            // A closed queue is the end of all: what the source still brings has nowhere to go.
            case .batch(let batch): _ = queue.put(transform.apply(batch))
            case .closed: return try outcome.wait().get()
            }
        }
    }
}
