/// Cuts the text of an expression into tokens.
struct Lexer {
    private let source: [UInt8]
    private var at = 0
    private var tokens: [Token] = []

    static func tokens(of source: String) throws(ExprError) -> [Token] {
        var lexer = Lexer(source: Array(source.utf8))
        return try lexer.run()
    }

    private init(source: [UInt8]) { self.source = source }

    private var current: UInt8? { at < source.count ? source[at] : nil }
    private func peek(_ ahead: Int = 1) -> UInt8? { at + ahead < source.count ? source[at + ahead] : nil }

    private mutating func run() throws(ExprError) -> [Token] {
        while let byte = current {
            switch byte {
            case 32, 9, 10, 13: at += 1
            case UInt8(ascii: "/") where peek() == UInt8(ascii: "/"): skipLineComment()
            case UInt8(ascii: "/") where peek() == UInt8(ascii: "*"): try skipBlockComment()
            case UInt8(ascii: "'"), UInt8(ascii: "\""): try quoted(kind: .string)
            case UInt8(ascii: "`"): try raw()
            case UInt8(ascii: "b") where peek() == UInt8(ascii: "'") || peek() == UInt8(ascii: "\""):
                at += 1
                try quoted(kind: .bytes)
            case 48...57: try number()
            case UInt8(ascii: ".") where peek().map({ $0 >= 48 && $0 <= 57 }) == true && !followsValue:
                try number()
            default:
                if Lexer.isNameStart(byte) { name() } else { try symbol() }
            }
        }
        tokens.append(Token(kind: .end, text: Array("EOF".utf8), offset: source.count))
        return tokens
    }

    /// `.5` after a value is a member access gone wrong, not a number.
    private var followsValue: Bool {
        guard let last = tokens.last, last.offset + last.text.count == at else { return false }
        return last.kind == .identifier || last.isSymbol(")") || last.isSymbol("]")
    }

    static func isNameStart(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte == UInt8(ascii: "$") || byte >= 0x80 || (byte | 32 >= 97 && byte | 32 <= 122)
    }

    static func isNamePart(_ byte: UInt8) -> Bool { isNameStart(byte) || (byte >= 48 && byte <= 57) }

    private mutating func name() {
        let start = at
        while let byte = current, Lexer.isNamePart(byte) { at += 1 }
        let text = Array(source[start..<at])
        let isOperator = Keywords.operators.contains(String(decoding: text, as: UTF8.self))
        tokens.append(Token(kind: isOperator ? .symbol : .identifier, text: text, offset: start))
    }

    private mutating func symbol() throws(ExprError) {
        let three = at + 2 < source.count ? String(decoding: source[at...(at + 2)], as: UTF8.self) : ""
        let two = at + 1 < source.count ? String(decoding: source[at...(at + 1)], as: UTF8.self) : ""
        let pairs: Set<String> = ["==", "!=", "<=", ">=", "&&", "||", "**", "..", "?.", "??", "::"]
        let singles = Array("()[]{}.,:;?+-*/%^<>!=|#".utf8)
        if pairs.contains(two), three != "..." {
            take(2)
        } else if let byte = current, singles.contains(byte) {
            take(1)
        } else {
            let rest = String(decoding: source[at...], as: UTF8.self)
            throw ExprError("unrecognized character: U+\(hex(rest)) '\(rest.first.map(String.init) ?? "")'", at: at)
        }
    }

    private func hex(_ text: String) -> String {
        let digits = String(text.unicodeScalars.first?.value ?? 0, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }

    private mutating func take(_ count: Int) {
        tokens.append(Token(kind: .symbol, text: Array(source[at..<at + count]), offset: at))
        at += count
    }

    private mutating func number() throws(ExprError) {
        let start = at
        if current == 48, let kind = peek(),
            [UInt8(ascii: "x"), UInt8(ascii: "o"), UInt8(ascii: "b")].contains(kind | 32)
        {
            at += 2
            while let byte = current, Lexer.isNamePart(byte) { at += 1 }
        } else {
            digits()
            if current == UInt8(ascii: "."), peek() != UInt8(ascii: "."), peek().map({ !Lexer.isNameStart($0) }) ?? true
            {
                at += 1
                digits()
            }
            if let byte = current, byte | 32 == UInt8(ascii: "e") {
                at += 1
                if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { at += 1 }
                digits()
            }
        }
        if let byte = current, Lexer.isNamePart(byte) {
            throw ExprError("bad number syntax: \"\(String(decoding: source[start...at], as: UTF8.self))\"", at: start)
        }
        tokens.append(Token(kind: .number, text: Array(source[start..<at]), offset: start))
    }

    private mutating func digits() {
        while let byte = current, (byte >= 48 && byte <= 57) || byte == UInt8(ascii: "_") { at += 1 }
    }

    private mutating func skipLineComment() {
        while let byte = current, byte != 10 { at += 1 }
    }

    private mutating func skipBlockComment() throws(ExprError) {
        let start = at
        at += 2
        while at + 1 < source.count {
            if source[at] == UInt8(ascii: "*"), source[at + 1] == UInt8(ascii: "/") {
                at += 2
                return
            }
            at += 1
        }
        throw ExprError("unclosed comment", at: start)
    }

    private mutating func raw() throws(ExprError) {
        let start = at
        var text: [UInt8] = []
        at += 1
        while let byte = current {
            at += 1
            if byte == UInt8(ascii: "`") {
                guard current == byte else {
                    tokens.append(Token(kind: .string, text: text, offset: start))
                    return
                }
                at += 1
            }
            text.append(byte)
        }
        throw ExprError("literal not terminated", at: start)
    }

    private mutating func quoted(kind: Token.Kind) throws(ExprError) {
        let start = at
        guard let quote = current else { return }
        var text: [UInt8] = []
        at += 1
        while let byte = current {
            at += 1
            if byte == quote {
                tokens.append(Token(kind: kind, text: text, offset: start))
                return
            }
            if byte == UInt8(ascii: "\\") {
                try escape(into: &text, bytes: kind == .bytes)
            } else if byte == 13, current == 10 {
                continue
            } else {
                text.append(byte)
            }
        }
        throw ExprError("literal not terminated", at: start)
    }

    private mutating func escape(into text: inout [UInt8], bytes: Bool) throws(ExprError) {
        let start = at - 1
        guard let byte = current else { throw ExprError("literal not terminated", at: start) }
        at += 1
        switch byte {
        case UInt8(ascii: "a"): text.append(7)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "v"): text.append(11)
        case UInt8(ascii: "\\"), UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"), UInt8(ascii: "?"):
            text.append(byte)
        case UInt8(ascii: "x"): append(try hexDigits(2, from: start), to: &text, raw: bytes)
        case UInt8(ascii: "u") where current == UInt8(ascii: "{"):
            at += 1
            append(try bracedScalar(from: start), to: &text, raw: false)
        case UInt8(ascii: "u"): append(try hexDigits(4, from: start), to: &text, raw: false)
        case UInt8(ascii: "U"): append(try hexDigits(8, from: start), to: &text, raw: false)
        case 48...51: append(try octalDigits(first: byte, from: start), to: &text, raw: bytes)
        default: throw ExprError("invalid char escape", at: start)
        }
    }

    private func append(_ scalar: UInt32, to text: inout [UInt8], raw: Bool) {
        if raw, scalar < 256 {
            text.append(UInt8(scalar))
        } else {
            text += String(Character(Unicode.Scalar(scalar) ?? "\u{FFFD}")).utf8
        }
    }

    private mutating func hexDigits(_ count: Int, from start: Int) throws(ExprError) -> UInt32 {
        guard at + count <= source.count,
            let value = UInt32(String(decoding: source[at..<at + count], as: UTF8.self), radix: 16),
            source[at] != UInt8(ascii: "+"), source[at] != UInt8(ascii: "-"), value <= 0x10ffff
        else { throw ExprError("invalid char escape", at: start) }
        at += count
        return value
    }

    private mutating func bracedScalar(from start: Int) throws(ExprError) -> UInt32 {
        let first = at
        while let byte = current, byte != UInt8(ascii: "}"), at - first < 7 { at += 1 }
        let digits = String(decoding: source[first..<at], as: UTF8.self)
        guard current == UInt8(ascii: "}"), (1...6).contains(digits.count), digits.allSatisfy(\.isHexDigit),
            let value = UInt32(digits, radix: 16), value <= 0x10ffff
        else { throw ExprError("invalid char escape", at: start) }
        at += 1
        return value
    }

    private mutating func octalDigits(first: UInt8, from start: Int) throws(ExprError) -> UInt32 {
        guard at + 2 <= source.count, source[at..<at + 2].allSatisfy({ $0 >= 48 && $0 <= 55 }) else {
            throw ExprError("invalid char escape", at: start)
        }
        let value = UInt32(first - 48) * 64 + UInt32(source[at] - 48) * 8 + UInt32(source[at + 1] - 48)
        at += 2
        return value
    }
}
