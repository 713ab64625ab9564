public import CrowdCore

/// A function that expressions may call.
public struct Function: Sendable {
    public let name: String
    public let parameters: [StaticType]
    /// How many arguments are needed; the rest are optional.
    public let required: Int
    /// The last parameter may repeat.
    public let isVariadic: Bool
    public let result: StaticType
    /// Whether it gives the same answer for the same constants, so that it may be computed at load.
    public let isPure: Bool
    public let body: @Sendable (Arguments) throws(ValueError) -> Value
    /// The same for a function that makes one text of one text and cannot fail: called without boxing either.
    let textBody: (@Sendable (ByteSlice, Arena) -> ByteSlice)?
    /// Says why it cannot be called on this host; nil when it can. Asked when an expression is compiled that calls it.
    let unavailable: (@Sendable () -> String?)?

    public init(
        _ name: String, _ parameters: [StaticType], required: Int? = nil, variadic: Bool = false, _ result: StaticType,
        pure: Bool = true, unavailable: (@Sendable () -> String?)? = nil,
        body: @escaping @Sendable (Arguments) throws(ValueError) -> Value
    ) {
        self.name = name
        self.parameters = parameters
        self.required = required ?? (variadic ? parameters.count - 1 : parameters.count)
        isVariadic = variadic
        self.result = result
        isPure = pure
        self.body = body
        self.unavailable = unavailable
        textBody = nil
    }

    /// A pure function of one text that gives a text and cannot fail.
    init(_ name: String, text body: @escaping @Sendable (ByteSlice, Arena) -> ByteSlice) {
        self.name = name
        parameters = [.string]
        required = 1
        isVariadic = false
        result = .string
        isPure = true
        self.body = { call throws(ValueError) in .string(body(try call.text(0), call.arena)) }
        textBody = body
        unavailable = nil
    }
}

/// The names an expression may use: variables by slot, functions. Made once, before any expression is compiled.
public struct Environment: Sendable {
    /// The slot that stands for the machine's event.
    public static let eventSlot = -1

    public private(set) var variables: [String: (slot: Int, type: StaticType)] = [:]
    public private(set) var functions: [String: Function] = [:]
    /// Where fields of events are numbered; needed by environments that have `evt`.
    public let keys: KeyTable
    /// Data files that were loaded before the expression is compiled: their texts are looked for all at once.
    public var files: any ExprResources = NoResources()
    /// The texts that all expressions of this environment look for in events. Its owner seals it after the last was
    /// compiled; before that, and where nobody does, nothing is known ahead.
    public let needles = NeedleTable()

    public init(keys: KeyTable = KeyTable(), functions: [Function] = []) {
        self.keys = keys
        add(functions)
    }

    /// Declares the next variable and returns its slot in `Machine.variables`.
    @discardableResult public mutating func declare(_ name: String, _ type: StaticType) -> Int {
        let slot = variables.values.filter { $0.slot >= 0 }.count
        variables[name] = (slot, type)
        return slot
    }

    /// Declares `evt`, the machine's own event.
    public mutating func declareEvent() {
        variables["evt"] = (Environment.eventSlot, .object(EventTypes.event))
    }

    public mutating func add(_ functions: [Function]) {
        for function in functions { self.functions[function.name] = function }
    }

    /// How many variables `Machine.variables` must hold.
    public var slotCount: Int { variables.values.filter { $0.slot >= 0 }.count }
}
