/// A value of the expression language (engine facts D.3): what expressions compute and `evt.Unmarshaled` holds.
///
/// Text is a slice: see `ByteSlice` for who keeps it alive. Go's integer kinds are one kind here, as are its floats.
public enum Value {
    case null
    case bool(Bool)
    case int(Int64)
    case float(Double)
    case string(ByteSlice)
    case list(ListValue)
    case map(MapValue)
    case time(Timestamp)
    case duration(GoDuration)
    case object(any ValueObject)

    /// Go's word for the kind, for error messages.
    public var kind: String {
        switch self {
        case .null: "nil"
        case .bool: "bool"
        case .int: "int"
        case .float: "float64"
        case .string: "string"
        case .list: "array"
        case .map: "map"
        case .time: "time.Time"
        case .duration: "time.Duration"
        case .object(let object): object.type.name
        }
    }

    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// A copy whose texts, lists and maps are its own; structures stay shared. Deeper than 64 levels it is nil.
    public func copied(into arena: Arena, depth: Int = 0) -> Value {
        guard depth < 64 else { return .null }
        switch self {
        case .string(let text): return .string(arena.copy(text))
        case .list(let list): return .list(ListValue(list.items.map { $0.copied(into: arena, depth: depth + 1) }))
        case .map(let map):
            let copy = MapValue(missing: map.missing)
            for (key, value) in zip(map.keys, map.values) {
                copy.set(arena.copy(key), value.copied(into: arena, depth: depth + 1))
            }
            return .map(copy)
        default: return self
        }
    }

    /// A number of either kind as a double.
    public var number: Double? {
        switch self {
        case .int(let value): Double(value)
        case .float(let value): value
        default: nil
        }
    }
}

/// A list; its elements are shared by all who hold it, as with Go's slices.
public final class ListValue {
    public var items: [Value]
    /// For a list that its owner only ever appends to: what was computed of it, kept by whoever computed it.
    public var memo: AnyObject?
    public init(_ items: [Value]) { self.items = items }
}

/// A map with text keys, in order of insertion; shared by all who hold it, as Go's maps are.
public final class MapValue {
    public private(set) var keys: [ByteSlice] = []
    public private(set) var values: [Value] = []
    /// What a missing key reads as: nil, or "" in a map of strings.
    public let missing: Value
    /// Made once the map is too large to walk.
    private var index: [ByteSlice: Int]?

    public init(missing: Value = .null) { self.missing = missing }

    public var count: Int { keys.count }

    private func position(_ key: ByteSlice) -> Int? {
        if let index { return index[key] }
        return keys.firstIndex(of: key)
    }

    public func find(_ key: ByteSlice) -> Value? { position(key).map { values[$0] } }

    /// Both slices must live as long as the map is used.
    public func set(_ key: ByteSlice, _ value: Value) {
        if let at = position(key) {
            values[at] = value
            return
        }
        keys.append(key)
        values.append(value)
        if index != nil {
            index?[key] = keys.count - 1
        } else if keys.count == 24 {
            index = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($1, $0) })
        }
    }

    public func removeAll() {
        keys.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        index = nil
    }

    /// Each becomes the other. What is missing must read the same in both.
    func exchange(with other: MapValue) {
        swap(&keys, &other.keys)
        swap(&values, &other.values)
        swap(&index, &other.index)
    }
}

/// A structure with named fields and methods, such as an event or an alert.
public protocol ValueObject: AnyObject {
    var type: ObjectType { get }
    /// The field with that number of `type`.
    func field(_ index: Int) -> Value
    /// The entry of a text map field, without making the map: nil when absent.
    func entry(_ index: Int, key: ByteSlice) -> Value?
    /// The same, where the number of the key among the names of event fields is known.
    func entry(_ index: Int, key: ByteSlice, number: FieldKey) -> Value?
    /// Calls the method with that number; throws the text of a run-time error.
    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value
}

extension ValueObject {
    public func entry(_ index: Int, key: ByteSlice) -> Value? {
        guard case .map(let map) = field(index) else { return nil }
        return map.find(key)
    }

    public func entry(_ index: Int, key: ByteSlice, number: FieldKey) -> Value? { entry(index, key: key) }

    public func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        throw ValueError("\(type.name) has no method number \(method)")
    }
}

/// Why an operation on values could not be done.
public struct ValueError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ text: String) { description = text }
}
