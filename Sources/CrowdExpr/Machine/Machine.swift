public import CrowdCore

/// What expressions run on: the event at hand, variables, and the budget of the run. One per worker, used again.
public final class Machine {
    /// Elements that lists, maps, ranges and repeated text may use up in one run (as the reference).
    static let memoryBudget = 1_000_000
    /// Predicate turns in one run, so that nested loops end.
    static let stepBudget = 5_000_000

    public let event: Event
    /// Values of the environment's variables, by slot.
    public var variables: [Value]
    /// Values of `let` variables, by slot.
    var locals: [Value] = []
    var scopes: [Scope] = []
    var stack: [Value] = []
    /// What the fields of the event hold of the texts that expressions look for.
    var answers: NeedleAnswers?
    private var memoryLeft = 0
    private var stepsLeft = 0

    /// The element that a predicate looks at.
    struct Scope {
        var element = Value.null
        var index = 0
        var accumulator = Value.null
    }

    public init(event: Event, variables: [Value] = []) {
        self.event = event
        self.variables = variables
        stack.reserveCapacity(64)
    }

    /// Where computed text goes; it lives as long as the event is at hand.
    public var arena: Arena { event.arena }

    @inline(__always)
    func begin(locals count: Int, scopes depth: Int) {
        memoryLeft = Machine.memoryBudget
        stepsLeft = Machine.stepBudget
        if count | depth != 0 { makeRoom(locals: count, scopes: depth) }
    }

    private func makeRoom(locals count: Int, scopes depth: Int) {
        if locals.count < count { locals += Array(repeating: .null, count: count - locals.count) }
        if scopes.count < depth { scopes += Array(repeating: Scope(), count: depth - scopes.count) }
    }

    public func useMemory(_ cells: Int) throws(ValueError) {
        memoryLeft -= max(cells, 0)
        if memoryLeft < 0 { throw ValueError("memory budget exceeded") }
    }

    func step() throws(ValueError) {
        stepsLeft -= 1
        if stepsLeft < 0 { throw ValueError("time budget exceeded") }
    }
}

/// The arguments of one call, on the machine's stack: no array is made for a call.
public struct Arguments {
    public let machine: Machine
    let base: Int
    public let count: Int

    public var arena: Arena { machine.arena }
    /// nil for an argument that was not given.
    public subscript(_ index: Int) -> Value { index < count ? machine.stack[base + index] : .null }

    public func text(_ index: Int) throws(ValueError) -> ByteSlice {
        if case .string(let text) = self[index] { return text }
        throw wrong(index, "string")
    }

    public func string(_ index: Int) throws(ValueError) -> String { String(try text(index)) }

    public func int(_ index: Int) throws(ValueError) -> Int {
        switch self[index] {
        case .int(let value): return Int(value)
        case .float(let value) where value.magnitude < 9e15: return Int(value)
        default: throw wrong(index, "int")
        }
    }

    public func double(_ index: Int) throws(ValueError) -> Double {
        guard let value = self[index].number else { throw wrong(index, "float64") }
        return value
    }

    public func list(_ index: Int) throws(ValueError) -> [Value] {
        if case .list(let list) = self[index] { return list.items }
        throw wrong(index, "array")
    }

    public func map(_ index: Int) throws(ValueError) -> MapValue {
        if case .map(let map) = self[index] { return map }
        throw wrong(index, "map")
    }

    public func wrong(_ index: Int, _ wanted: String) -> ValueError {
        ValueError("argument \(index + 1) must be \(wanted), not \(self[index].kind)")
    }

    public func string(_ text: String) -> Value { .string(arena.copy(text)) }
    public func strings(_ texts: [String]) -> Value { .list(ListValue(texts.map { string($0) })) }
    public var all: [Value] { (0..<count).map { self[$0] } }
}
