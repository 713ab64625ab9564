import CrowdCore

/// The functions that belong to the expression language itself (engine facts D.4).
enum Builtins {
    static let functions: [String: Function] = {
        let all =
            CollectionFunctions.all + NumberFunctions.all + TextFunctions.all + TimeFunctions.all
            + EncodingFunctions.all
        return Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    }()

    /// The result type where it follows from the arguments; nil when the declared one stands.
    static func result(of name: String, _ arguments: [StaticType]) -> StaticType? {
        guard let first = arguments.first else { return nil }
        switch name {
        case "reverse", "uniq", "take", "sort", "concat":
            if case .list = first {
                return arguments.allSatisfy({ $0 == first || name != "concat" }) ? first : .list(.any)
            }
        case "first", "last":
            return .any
        case "abs": return first
        case "keys": return .list(.string)
        case "values": if case .map(let value) = first { return .list(value) }
        default: break
        }
        return nil
    }
}
