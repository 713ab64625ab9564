import CrowdCore
import CrowdEngine
import CrowdExpr
import Logging

/// `transform` of an acquisition: an expression that makes other lines of a line (surface facts C.1).
///
/// A string takes the line's place; a list gives one line for each of its strings; anything else, and an error, leaves the
/// line as it is. Belongs to one thread.
final class LineTransform {
    /// What one line may become.
    private static let mostBytes = 16 << 20
    /// What is said about lines that the expression does not fit.
    private static let mostComplaints = 10

    private let program: Program
    private let machine: Machine
    private let log: Logger
    private var complaints = 0

    /// - Throws: when the expression is none, with its place.
    init(_ expression: LineTransformConfig, log: Logger) throws(ConfigError) {
        let keys = KeyTable()
        var environment = Environment(keys: keys, functions: CrowdSecFunctions.all(TransformResources(log: log)))
        environment.declareEvent()
        do {
            program = try Program(expression.text, in: environment)
        } catch {
            throw ConfigError(
                "while compiling transform '\(expression.text.prefix(200))': \(error.message)", at: expression.mark)
        }
        machine = Machine(event: Event(keys: keys))
        self.log = log
    }

    /// The lines that take the place of a batch's; they cannot be read again where that one's came from.
    func apply(_ batch: LineBatch) -> LineBatch {
        guard batch.count > 0 else { return batch }
        var lines = LineCollector()
        batch.withEachLine { apply($0, batch, into: &lines) }
        let result =
            lines.batch(batch.origin, time: batch.time) ?? LineBatch(batch.origin, capacity: 0, time: batch.time)
        result.place = batch.place
        result.isLate = batch.isLate
        result.isOwnText = true
        result.onAccounted = batch.onAccounted
        return result
    }

    private func apply(_ line: ByteSlice, _ batch: LineBatch, into lines: inout LineCollector) {
        load(line, batch)
        do {
            switch try program.value(on: machine) {
            case .string(let text): lines.append(text)
            case .list(let list): take(list.items, line, into: &lines)
            case let other:
                complain("the result is \(other.kind), not a string or a list of strings")
                lines.append(line)
            }
        } catch {
            complain(error.message)
            lines.append(line)
        }
    }

    private func take(_ items: [Value], _ line: ByteSlice, into lines: inout LineCollector) {
        var bytes = 0
        for item in items {
            guard case .string(let text) = item else {
                complain("an element is \(item.kind), not a string")
                continue
            }
            bytes += text.count
            guard bytes <= Self.mostBytes else { return complain("one line becomes more than \(Self.mostBytes) bytes") }
            lines.append(text)
        }
    }

    private func load(_ line: ByteSlice, _ batch: LineBatch) {
        let event = machine.event
        event.reset()
        event.isReplay = batch.origin.isReplay
        event.line.raw = line
        event.line.source = batch.origin.source
        event.line.module = batch.origin.module
        event.line.labels = batch.origin.labels
        event.line.time = batch.time
        event.time = batch.time
    }

    private func complain(_ text: String) {
        complaints += 1
        if complaints <= Self.mostComplaints { log.error("transform: \(text)") }
    }
}

/// An expression as it is written, and where.
struct LineTransformConfig: Sendable, Equatable {
    var text: String
    var mark: SourceMark?
}

/// No data files here: items name those, and a transform belongs to none.
private struct TransformResources: ExprResources {
    let log: Logger
    func report(_ message: String) { log.error("transform: \(message)") }
}
