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

    public init(
        _ name: String, _ parameters: [StaticType], required: Int? = nil, variadic: Bool = false, _ result: StaticType,
        pure: Bool = true, body: @escaping @Sendable (Arguments) throws(ValueError) -> Value
    ) {
        self.name = name
        self.parameters = parameters
        self.required = required ?? (variadic ? parameters.count - 1 : parameters.count)
        isVariadic = variadic
        self.result = result
        isPure = pure
        self.body = body
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
