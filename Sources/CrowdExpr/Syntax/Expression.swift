import CrowdCore

/// A parsed expression: one node of the tree, with where it stands and, once checked, its type.
final class Expression {
    indirect enum Kind {
        case null
        case bool(Bool)
        case int(Int64)
        case float(Double)
        case string([UInt8])
        case identifier(String)
        /// `$env`: all variables as a map.
        case environment
        /// `#`, `#acc`, `#index`: the element at hand in the innermost predicate.
        case element(String)
        case member(Expression, String, optional: Bool)
        case index(Expression, Expression, optional: Bool)
        case slice(Expression, from: Expression?, to: Expression?)
        /// The end of an `?.` chain: nil as soon as one optional step met nil.
        case chain(Expression)
        case call(String, [Expression])
        case method(Expression, String, [Expression], optional: Bool)
        case builtin(String, [Expression])
        case predicate(Expression)
        case unary(UnaryOperator, Expression)
        case binary(BinaryOperator, Expression, Expression)
        case conditional(Expression, Expression, Expression)
        case list([Expression])
        case map([(key: Expression, value: Expression)])
        case declaration(String, Expression, Expression)
        case sequence([Expression])
    }

    var kind: Kind
    let offset: Int
    /// Filled by the checker.
    var type = StaticType.any
    /// Number of the local variable or predicate level that a name stands for; filled by the checker.
    var slot = 0

    init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    var isNull: Bool {
        if case .null = kind { true } else { false }
    }

    var constantText: [UInt8]? {
        if case .string(let text) = kind { text } else { nil }
    }
}

enum UnaryOperator: String {
    case not
    case minus = "-"
    case plus = "+"
}

enum BinaryOperator: String {
    case or, and
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case greater = ">"
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case `in`, matches, contains, startsWith, endsWith
    case range = ".."
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case modulo = "%"
    case power = "**"
    case coalesce = "??"
    case pipe = "|"

    init?(symbol: String) {
        switch symbol {
        case "||": self = .or
        case "&&": self = .and
        case "^": self = .power
        default: self.init(rawValue: symbol)
        }
    }

    /// Higher binds tighter.
    var precedence: Int {
        switch self {
        case .pipe: 0
        case .or: 10
        case .and: 15
        case .equal, .notEqual, .less, .greater, .lessOrEqual, .greaterOrEqual, .in, .matches, .contains, .startsWith,
            .endsWith:
            20
        case .range: 25
        case .add, .subtract: 30
        case .multiply, .divide, .modulo: 60
        case .power: 100
        case .coalesce: 500
        }
    }

    var isRightAssociative: Bool { self == .power }
    var isOrdering: Bool { [.less, .greater, .lessOrEqual, .greaterOrEqual].contains(self) }
    /// Operators that may be written `a not in b`.
    var allowsNegation: Bool { [.in, .matches, .contains, .startsWith, .endsWith].contains(self) }
}
