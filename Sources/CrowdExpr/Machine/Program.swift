public import CrowdCore

/// A compiled expression. Immutable: workers share it, each running it on a machine of its own.
public final class Program: @unchecked Sendable {
    // Sendable: nodes are immutable after compiling; constant lists and maps in them are never written to.
    public let source: String
    /// What it gives, as far as that is known before it runs.
    public let type: StaticType
    let root: Node
    let localCount: Int
    let scopeDepth: Int
    /// It gives text and nothing else.
    public let givesText: Bool
    /// It changes nothing, so it need not run when its result is known.
    public let isPure: Bool
    /// It may wait for another host's answer, for seconds.
    public let asksOthers: Bool

    /// Parses, checks and compiles; an error carries its offset in `source`.
    public init(_ source: String, in environment: Environment) throws(ExprError) {
        self.source = source
        let tree = try Parser.parse(source)
        var checker = Checker(environment)
        type = try checker.check(tree)
        localCount = checker.localCount
        scopeDepth = checker.maxDepth
        isPure = !checker.hasEffects
        asksOthers = checker.asksOthers
        root = try Compiler(environment).compile(tree)
        givesText = root is TextNode
        needs = NeedleNeeds(root.needs)
    }

    public func value(on machine: Machine) throws(ExprError) -> Value {
        machine.begin(locals: localCount, scopes: scopeDepth)
        return try root.value(machine)
    }

    /// The result as a condition: anything but a bool is an error.
    public func bool(on machine: Machine) throws(ExprError) -> Bool {
        machine.begin(locals: localCount, scopes: scopeDepth)
        return try root.bool(machine)
    }

    /// The result when the expression is text alone; a computed value is an error unless it is a string.
    public func text(on machine: Machine) throws(ExprError) -> ByteSlice {
        machine.begin(locals: localCount, scopes: scopeDepth)
        return try root.text(machine)
    }

    /// Whether it may look at more of an event than its Meta, Enriched and times: by the text, which mentions such a field
    /// or hands whole structures to a function.
    public var looksBeyondMeta: Bool {
        ["Parsed", "Unmarshaled", "Line", "evt)", "evt,", "#)", "#,", "json", "Json", "JSON", "Sprintf", "string("]
            .contains { source.contains($0) }
    }

    /// How many elements the list in a field of a variable must have for the condition to be true; 0 when nothing is known.
    public func leastElements(ofVariable slot: Int, field: Int) -> Int {
        isPure ? LeastElements(slot: slot, field: field).needed(by: root) : 0
    }

    /// What a dispatcher may know without running it: see `Facts`.
    public var facts: [Fact] { root.facts }
    /// Texts without which the condition cannot be true.
    public let needs: NeedleNeeds
    /// Whether the expression is a constant, and which.
    public var constant: Value? { (root as? Constant)?.constant }
    /// The event field that the whole expression reads, when it is no more than that.
    public var field: (map: EventMap, key: FieldKey)? { (root as? FieldText).map { ($0.map, $0.key) } }
}

/// What must hold for a condition to be true; found at load so that events which cannot match are not offered.
public enum Fact {
    /// The field of the event equals one of these.
    case fieldIn(EventMap, FieldKey, [ByteSlice])
    /// The acquisition label equals one of these.
    case labelIn(ByteSlice, [ByteSlice])
}

/// One of the three text maps of an event.
public enum EventMap: Sendable {
    case parsed, meta, enriched

    init?(field: Int) {
        switch field {
        case EventTypes.EventField.parsed: self = .parsed
        case EventTypes.EventField.meta: self = .meta
        case EventTypes.EventField.enriched: self = .enriched
        default: return nil
        }
    }

    // The maps themselves are not handed out: that would count references, several times in every line.

    @inlinable public func find(_ key: FieldKey, in event: Event) -> ByteSlice? {
        switch self {
        case .parsed: event.parsed.find(key)
        case .meta: event.meta.find(key)
        case .enriched: event.enriched.find(key)
        }
    }

    /// Empty when the key was not set.
    @inlinable public func value(_ key: FieldKey, in event: Event) -> ByteSlice { find(key, in: event) ?? .empty }

    /// - Parameter value: must live as long as the event.
    @inlinable public func set(_ key: FieldKey, _ value: ByteSlice, in event: Event) {
        switch self {
        case .parsed: event.parsed.set(key, value)
        case .meta: event.meta.set(key, value)
        case .enriched: event.enriched.set(key, value)
        }
    }
}
