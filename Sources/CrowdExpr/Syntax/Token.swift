/// A word of the expression language (engine facts D.1).
struct Token: Equatable {
    enum Kind: Equatable {
        case identifier, number, string, bytes, symbol, end
    }
    var kind: Kind
    /// The word as written, escapes of a string resolved.
    var text: [UInt8]
    var offset: Int

    var string: String { String(decoding: text, as: UTF8.self) }

    func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text.elementsEqual(symbol.utf8) }
}

enum Keywords {
    /// Words that are operators and cannot be names, except after a dot.
    static let operators: Set<String> = [
        "not", "in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else",
    ]
}
