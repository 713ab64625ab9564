/// Reads tokens into a tree: the grammar of engine facts D.1, by precedence climbing.
///
/// Nesting is bounded by `maxDepth` and the tree by `maxNodes`, so that no text can exhaust the stack or the memory.
struct Parser {
    static let maxDepth = 256
    static let maxNodes = 10_000

    private let tokens: [Token]
    private var at = 0
    /// How many predicates enclose the current token.
    private var predicateDepth = 0
    private var depth = 0
    private var nodes = 0

    static func parse(_ source: String) throws(ExprError) -> Expression {
        var parser = Parser(tokens: try Lexer.tokens(of: source))
        let tree = try parser.sequence()
        guard parser.current.kind == .end else { throw parser.unexpected() }
        return tree
    }

    private init(tokens: [Token]) { self.tokens = tokens }

    var current: Token { tokens[at] }

    mutating func advance() { if at < tokens.count - 1 { at += 1 } }

    func unexpected() -> ExprError {
        let token = current
        let what =
            switch token.kind {
            case .end: "EOF"
            case .identifier: "Identifier(\"\(token.string)\")"
            case .number: "Number(\"\(token.string)\")"
            case .string, .bytes: "String(\"\(token.string)\")"
            case .symbol: "Operator(\"\(token.string)\")"
            }
        return ExprError("unexpected token \(what)", at: token.offset)
    }

    mutating func expect(_ symbol: String) throws(ExprError) {
        guard current.isSymbol(symbol) else { throw unexpected() }
        advance()
    }

    mutating func accept(_ symbol: String) -> Bool {
        guard current.isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func node(_ kind: Expression.Kind, at offset: Int) throws(ExprError) -> Expression {
        nodes += 1
        guard nodes <= Parser.maxNodes else {
            throw ExprError("compilation failed: expression exceeds maximum allowed nodes", at: offset)
        }
        return Expression(kind, at: offset)
    }

    // MARK: sequence, let, if

    mutating func sequence() throws(ExprError) -> Expression {
        let start = current.offset
        var parts = [try expression(0)]
        while accept(";") {
            if current.kind == .end || current.isSymbol(")") || current.isSymbol("}") { break }
            parts.append(try expression(0))
        }
        return parts.count == 1 ? parts[0] : try node(.sequence(parts), at: start)
    }

    mutating func expression(_ precedence: Int) throws(ExprError) -> Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Parser.maxDepth else { throw ExprError("expression is nested too deeply", at: current.offset) }
        if precedence == 0 {
            if current.isSymbol("let") { return try declaration() }
            if current.isSymbol("if") { return try ifElse() }
        }
        let left = try operators(after: try primary(), precedence)
        return precedence == 0 ? try conditional(left) : left
    }

    private mutating func declaration() throws(ExprError) -> Expression {
        let start = current.offset
        try expect("let")
        guard current.kind == .identifier else { throw unexpected() }
        let name = current.string
        advance()
        try expect("=")
        let value = try expression(0)
        try expect(";")
        return try node(.declaration(name, value, try sequence()), at: start)
    }

    private mutating func ifElse() throws(ExprError) -> Expression {
        let start = current.offset
        try expect("if")
        let condition = try expression(0)
        try expect("{")
        let yes = try sequence()
        try expect("}")
        try expect("else")
        let no: Expression
        if current.isSymbol("if") {
            depth += 1
            defer { depth -= 1 }
            guard depth <= Parser.maxDepth else { throw ExprError("expression is nested too deeply", at: start) }
            no = try ifElse()
        } else {
            try expect("{")
            no = try sequence()
            try expect("}")
        }
        return try node(.conditional(condition, yes, no), at: start)
    }

    private mutating func conditional(_ condition: Expression) throws(ExprError) -> Expression {
        var result = condition
        while accept("?") {
            if accept(":") {
                result = try node(.conditional(result, result, try expression(0)), at: result.offset)
            } else {
                let yes = try expression(0)
                try expect(":")
                result = try node(.conditional(result, yes, try expression(0)), at: result.offset)
            }
        }
        return result
    }

    // MARK: operators

    private mutating func operators(after first: Expression, _ precedence: Int) throws(ExprError) -> Expression {
        var left = first
        var previous: BinaryOperator?
        while current.kind == .symbol {
            let start = at
            let offset = current.offset
            let negated = accept("not")
            guard let symbol = BinaryOperator(symbol: current.string), symbol.precedence >= precedence,
                !negated || symbol.allowsNegation, current.kind == .symbol
            else {
                at = start
                break
            }
            advance()
            if symbol == .pipe {
                guard current.kind == .identifier else { throw unexpected() }
                let name = current
                advance()
                left = try postfix(try call(name, piped: [left]))
            } else if previous == .coalesce, symbol != .coalesce {
                throw ExprError(
                    "Operator (\(symbol.rawValue)) and coalesce expressions (??) cannot be mixed. "
                        + "Wrap either by parentheses.", at: offset)
            } else if symbol.isOrdering {
                left = try comparison(left, symbol, offset)
            } else {
                let right = try expression(symbol.isRightAssociative ? symbol.precedence : symbol.precedence + 1)
                left = try node(.binary(symbol, left, right), at: offset)
                if negated { left = try node(.unary(.not, left), at: offset) }
            }
            previous = symbol
        }
        return left
    }

    /// `a < b < c` means `a < b && b < c`.
    private mutating func comparison(
        _ first: Expression, _ symbol: BinaryOperator, _ offset: Int
    ) throws(ExprError) -> Expression {
        var (left, symbol, offset) = (first, symbol, offset)
        var result: Expression?
        while true {
            let right = try expression(symbol.precedence + 1)
            let one = try node(.binary(symbol, left, right), at: offset)
            result = try result.map { (all) throws(ExprError) in try node(.binary(.and, all, one), at: offset) } ?? one
            guard current.kind == .symbol, let next = BinaryOperator(symbol: current.string), next.isOrdering else {
                return result ?? one
            }
            (left, symbol, offset) = (right, next, current.offset)
            advance()
        }
    }

    // MARK: primaries

    private mutating func primary() throws(ExprError) -> Expression {
        let token = current
        if token.kind == .symbol {
            switch token.string {
            case "not", "!", "-", "+":
                advance()
                let isNot = token.string == "not" || token.string == "!"
                let operand = try expression(isNot ? 50 : 90)
                let sign: UnaryOperator = isNot ? .not : token.string == "-" ? .minus : .plus
                return try postfix(try node(.unary(sign, operand), at: token.offset))
            case "(":
                advance()
                let inner = try sequence()
                try expect(")")
                return try postfix(inner)
            case "#" where predicateDepth > 0: return try element()
            case "." where predicateDepth > 0: return try postfix(try node(.element(""), at: token.offset))
            case "::":
                advance()
                let name = current
                guard name.kind == .identifier else { throw unexpected() }
                advance()
                return try postfix(try call(name, piped: []))
            case "[": return try postfix(try list())
            case "{": return try postfix(try map())
            default: throw unexpected()
            }
        }
        return try postfix(try literalOrName())
    }

    private mutating func element() throws(ExprError) -> Expression {
        let start = current.offset
        advance()
        var name = ""
        if current.kind == .identifier, current.offset == start + 1 {
            name = current.string
            advance()
        }
        guard ["", "acc", "index"].contains(name) else { throw ExprError("unknown pointer #\(name)", at: start) }
        return try postfix(try node(.element(name), at: start))
    }

    private mutating func literalOrName() throws(ExprError) -> Expression {
        let token = current
        switch token.kind {
        case .string, .bytes:
            advance()
            return try node(.string(token.text), at: token.offset)
        case .number:
            advance()
            return try node(try NumberLiteral.kind(token), at: token.offset)
        case .identifier:
            advance()
            switch token.string {
            case "true": return try node(.bool(true), at: token.offset)
            case "false": return try node(.bool(false), at: token.offset)
            case "nil": return try node(.null, at: token.offset)
            case "$env": return try node(.environment, at: token.offset)
            default:
                return current.isSymbol("(")
                    ? try call(token, piped: []) : try node(.identifier(token.string), at: token.offset)
            }
        case .symbol, .end: throw unexpected()
        }
    }

    private mutating func list() throws(ExprError) -> Expression {
        let start = current.offset
        return try node(.list(try items(from: "[", to: "]")), at: start)
    }

    private mutating func map() throws(ExprError) -> Expression {
        let start = current.offset
        try expect("{")
        var entries: [(key: Expression, value: Expression)] = []
        while !current.isSymbol("}") {
            if !entries.isEmpty {
                try expect(",")
                if current.isSymbol("}") { break }
            }
            let key = try mapKey()
            try expect(":")
            entries.append((key, try expression(0)))
        }
        try expect("}")
        return try node(.map(entries), at: start)
    }

    private mutating func mapKey() throws(ExprError) -> Expression {
        let token = current
        switch token.kind {
        case .string, .identifier, .number:
            advance()
            return try node(.string(token.text), at: token.offset)
        default:
            guard token.isSymbol("(") else {
                throw ExprError(
                    "a map key must be a quoted string, a number, a identifier, or an expression enclosed in "
                        + "parentheses (\(unexpected().message))", at: token.offset)
            }
            return try expression(0)
        }
    }

    /// Expressions between brackets, a trailing comma allowed.
    private mutating func items(from open: String, to close: String) throws(ExprError) -> [Expression] {
        try expect(open)
        var items: [Expression] = []
        while !current.isSymbol(close) {
            if !items.isEmpty {
                try expect(",")
                if current.isSymbol(close) { break }
            }
            items.append(try expression(0))
        }
        try expect(close)
        return items
    }

    // MARK: calls, members

    private mutating func call(_ name: Token, piped: [Expression]) throws(ExprError) -> Expression {
        if let shape = PredicateShape.of[name.string] {
            return try predicateCall(name, shape, piped: piped)
        }
        let arguments = piped + (try items(from: "(", to: ")"))
        return try node(.call(name.string, arguments), at: name.offset)
    }

    private mutating func predicateCall(
        _ name: Token, _ shape: PredicateShape, piped: [Expression]
    ) throws(ExprError) -> Expression {
        try expect("(")
        var arguments = piped
        for position in piped.count..<max(shape.maximum, piped.count) {
            if current.isSymbol(")") {
                guard position >= shape.required else {
                    throw ExprError("expected at least \(shape.required) arguments", at: current.offset)
                }
                break
            }
            if position > piped.count { try expect(",") }
            if current.isSymbol(")") { break }
            arguments.append(position == 1 ? try predicate() : try expression(0))
        }
        _ = accept(",")
        try expect(")")
        guard arguments.count >= shape.required else { throw unexpected() }
        return try node(.builtin(name.string, arguments), at: name.offset)
    }

    private mutating func predicate() throws(ExprError) -> Expression {
        let start = current.offset
        let braces = accept("{")
        predicateDepth += 1
        defer { predicateDepth -= 1 }
        let body = braces ? try sequence() : try expression(0)
        if braces {
            try expect("}")
        } else if current.isSymbol(";") {
            throw ExprError("wrap predicate with brackets { and }", at: start)
        }
        return try node(.predicate(body), at: start)
    }

    private mutating func postfix(_ base: Expression) throws(ExprError) -> Expression {
        var result = base
        while current.kind == .symbol {
            let offset = current.offset
            let optional = current.isSymbol("?.")
            if optional || current.isSymbol(".") {
                advance()
                if optional, current.isSymbol("[") {
                    advance()
                    result = try index(result, optional: true, offset)
                } else {
                    result = try member(result, optional: optional, offset)
                }
            } else if accept("[") {
                result = try index(result, optional: false, offset)
            } else {
                break
            }
        }
        return result
    }

    private mutating func member(_ base: Expression, optional: Bool, _ offset: Int) throws(ExprError) -> Expression {
        let token = current
        guard token.kind == .identifier || (token.kind == .symbol && Keywords.operators.contains(token.string)) else {
            throw ExprError("expected name", at: token.offset)
        }
        advance()
        let (inner, chained) = Parser.unchained(base)
        let step: Expression.Kind =
            current.isSymbol("(")
            ? .method(inner, token.string, try items(from: "(", to: ")"), optional: optional)
            : .member(inner, token.string, optional: optional)
        let result = try node(step, at: token.offset)
        return chained || optional ? try node(.chain(result), at: offset) : result
    }

    private mutating func index(_ base: Expression, optional: Bool, _ offset: Int) throws(ExprError) -> Expression {
        let (inner, chained) = Parser.unchained(base)
        var from: Expression?
        if !current.isSymbol(":") { from = try expression(0) }
        let step: Expression.Kind
        if accept(":") {
            let to = current.isSymbol("]") ? nil : try expression(0)
            step = .slice(inner, from: from, to: to)
        } else if let from {
            step = .index(inner, from, optional: optional)
        } else {
            throw unexpected()
        }
        try expect("]")
        let result = try node(step, at: offset)
        return chained || optional ? try node(.chain(result), at: offset) : result
    }

    /// What a chain holds: the next step belongs inside it, so that nil ends the whole chain.
    private static func unchained(_ base: Expression) -> (Expression, Bool) {
        if case .chain(let inner) = base.kind { (inner, true) } else { (base, false) }
    }
}

/// How many arguments a function with a predicate takes; the predicate is the second.
struct PredicateShape {
    var required: Int
    var maximum: Int

    static let of: [String: PredicateShape] = {
        var shapes: [String: PredicateShape] = [:]
        for name in [
            "all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "groupBy",
        ] {
            shapes[name] = PredicateShape(required: 2, maximum: 2)
        }
        for name in ["count", "sum"] { shapes[name] = PredicateShape(required: 1, maximum: 2) }
        for name in ["sortBy", "reduce"] { shapes[name] = PredicateShape(required: 2, maximum: 3) }
        return shapes
    }()
}

enum NumberLiteral {
    static func kind(_ token: Token) throws(ExprError) -> Expression.Kind {
        let text = token.string.filter { $0 != "_" }.lowercased()
        let bases: [(String, Int)] = [("0x", 16), ("0o", 8), ("0b", 2)]
        for (prefix, radix) in bases where text.hasPrefix(prefix) {
            guard let value = Int64(text.dropFirst(2), radix: radix) else { break }
            return .int(value)
        }
        if text.contains(where: { $0 == "." || $0 == "e" }) {
            if let value = Double(text), value.isFinite { return .float(value) }
        } else if let value = Int64(text) {
            return .int(value)
        }
        throw ExprError("invalid number literal: \(token.string)", at: token.offset)
    }
}
