/// What is known of a value before the expression runs.
public indirect enum StaticType: Equatable, Sendable {
    case any, null, bool, int, float, string, time, duration
    case list(StaticType)
    case map(StaticType)
    case object(ObjectType)

    public static func == (a: StaticType, b: StaticType) -> Bool {
        switch (a, b) {
        case (.any, .any), (.null, .null), (.bool, .bool), (.int, .int), (.float, .float), (.string, .string),
            (.time, .time), (.duration, .duration):
            true
        case (.list(let a), .list(let b)), (.map(let a), .map(let b)): a == b
        case (.object(let a), .object(let b)): a === b
        default: false
        }
    }

    /// Go's spelling, for error messages.
    public var name: String {
        switch self {
        case .any: "interface {}"
        case .null: "nil"
        case .bool: "bool"
        case .int: "int"
        case .float: "float64"
        case .string: "string"
        case .time: "time.Time"
        case .duration: "time.Duration"
        case .list(let element): "[]" + element.name
        case .map(let value): "map[string]" + value.name
        case .object(let type): type.name
        }
    }

    public var isNumber: Bool { self == .int || self == .float }
    /// Whether a value of this type could turn out to be `other` at run time.
    public func mayBe(_ other: StaticType) -> Bool {
        if self == .any || other == .any || self == other { return true }
        switch (self, other) {
        case (.list(let a), .list(let b)), (.map(let a), .map(let b)): return a.mayBe(b)
        case (.int, .float), (.float, .int): return true
        default: return false
        }
    }
}

/// A structure's fields and methods, by name and number. Made once, before any expression is compiled.
public final class ObjectType: @unchecked Sendable {
    // Sendable: written only while the type is being declared, read-only afterwards.
    public let name: String
    private var fields: [String: (index: Int, type: StaticType)] = [:]
    private var methods: [String: Method] = [:]

    public struct Method: Sendable {
        public let index: Int
        /// Fewer than `parameters` is an error; nil leaves the check to run time.
        public let parameters: [StaticType]
        public let result: StaticType
    }

    public init(_ name: String) { self.name = name }

    @discardableResult public func field(_ name: String, _ index: Int, _ type: StaticType) -> ObjectType {
        fields[name] = (index, type)
        return self
    }

    @discardableResult public func method(
        _ name: String, _ index: Int, _ parameters: [StaticType] = [], _ result: StaticType
    ) -> ObjectType {
        methods[name] = Method(index: index, parameters: parameters, result: result)
        return self
    }

    public func field(named name: String) -> (index: Int, type: StaticType)? { fields[name] }
    public func method(named name: String) -> Method? { methods[name] }
    public var fieldNames: [String] { fields.keys.sorted() }
    func fieldType(_ index: Int) -> StaticType? { fields.values.first { $0.index == index }?.type }
}
