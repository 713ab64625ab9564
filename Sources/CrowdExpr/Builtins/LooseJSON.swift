import CrowdCore

/// Finds values in JSON without asking whether all of it is JSON, as the library does that CrowdSec's `JsonExtract` uses: a
/// line that was cut off, or that begins with something else, still tells what is whole in it.
///
/// (1) On the way to the value only keys and brackets are looked at; what is behind it is not seen at all.
/// (2) The first key that matches counts; an object under one that does not is passed over, and so is every array but those
///     whose elements are asked for.
/// (3) A text without its closing quote, a block without its end, or a colon without a key ends the search.
struct LooseJSON {
    private let text: ByteSlice
    private let path: [ByteSlice]
    /// Objects that are open here.
    private var depth = 0
    /// Keys of the path that were found.
    private var found = 0
    /// The last key was one of the path.
    private var isOnPath = true

    /// - Parameter path: keys, and elements as `[0]`.
    init(_ text: ByteSlice, _ path: [ByteSlice]) {
        self.text = text
        self.path = path
    }

    /// The value's own text, a string with its quotes; nil when there is none.
    static func find(_ path: [ByteSlice], in text: ByteSlice) -> ByteSlice? {
        var search = LooseJSON(text, path)
        return path.isEmpty ? search.value(from: 0) : search.run()
    }

    private enum Step {
        case on(Int)
        case end(ByteSlice?)
    }

    private mutating func run() -> ByteSlice? {
        var at = 0
        while at < text.count {
            switch step(at) {
            case .on(let next): at = next
            case .end(let value): return value
            }
        }
        return nil
    }

    private mutating func step(_ at: Int) -> Step {
        switch text[at] {
        case Self.quote: return string(at)
        case Self.brace:
            guard isOnPath else { return passOverBlock(at) }
            depth += 1
        case Self.closingBrace:
            depth -= 1
            if depth == found { found -= 1 }
        case Self.bracket: return array(at)
        case Self.colon: return .end(nil)
        default: break
        }
        return .on(at + 1)
    }

    /// A key if there is a colon behind it.
    private mutating func string(_ at: Int) -> Step {
        guard let end = endOfString(at), let next = token(from: end) else { return .end(nil) }
        guard text[next] == Self.colon else { return .on(next) }
        guard depth >= 1, depth <= path.count, let isKey = isKey(path[depth - 1], at: at..<end) else {
            return .end(nil)
        }
        isOnPath = isKey
        if isOnPath, found == depth - 1 { found += 1 }
        return found == path.count ? .end(value(from: next + 1)) : .on(next + 1)
    }

    private func array(_ at: Int) -> Step {
        guard depth == found, path.indices.contains(depth), path[depth].buffer.first == Self.bracket else {
            return passOverBlock(at)
        }
        return .end(element(path[depth], from: at + 1).flatMap { Self.find(Array(path[(depth + 1)...]), in: $0) })
    }

    private func passOverBlock(_ at: Int) -> Step { endOfBlock(at).map { .on($0) } ?? .end(nil) }

    private func element(_ name: ByteSlice, from start: Int) -> ByteSlice? {
        guard name.count >= 3, name[name.count - 1] == Self.closingBracket,
            var left = Int(String(name[1..<(name.count - 1)]))
        else { return nil }
        var start = start
        while let extent = extent(from: start) {
            if left == 0 { return text[extent] }
            left -= 1
            guard let next = token(from: extent.upperBound), text[next] == Self.comma else { return nil }
            start = next + 1
        }
        return nil
    }
}

/// Where things end.
extension LooseJSON {
    private static let (quote, backslash) = (UInt8(ascii: "\""), UInt8(ascii: "\\"))
    private static let (brace, closingBrace) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
    private static let (bracket, closingBracket) = (UInt8(ascii: "["), UInt8(ascii: "]"))
    private static let (colon, comma) = (UInt8(ascii: ":"), UInt8(ascii: ","))

    private func token(from start: Int) -> Int? { (start..<text.count).first { !Self.isSpace(text[$0]) } }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }

    private func value(from start: Int) -> ByteSlice? { extent(from: start).map { text[$0] } }

    /// Of the value whose first byte is the next one that is no blank.
    private func extent(from start: Int) -> Range<Int>? {
        guard let start = token(from: start) else { return nil }
        switch text[start] {
        case Self.quote: return endOfString(start).map { start..<$0 }
        case Self.brace, Self.bracket: return endOfBlock(start).map { start..<$0 }
        default:
            let ends = [Self.comma, Self.closingBrace, Self.closingBracket]
            let end = (start..<text.count).first { Self.isSpace(text[$0]) || ends.contains(text[$0]) } ?? text.count
            return Self.isScalar(text[start..<end]) ? start..<end : nil
        }
    }

    /// What begins like a number is one.
    private static func isScalar(_ word: ByteSlice) -> Bool {
        guard let first = word.buffer.first else { return false }
        return first == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first)
            || word == ByteSlice("true") || word == ByteSlice("false") || word == ByteSlice("null")
    }

    /// Behind its closing quote.
    private func endOfString(_ start: Int) -> Int? {
        var at = start + 1
        while at < text.count {
            if text[at] == Self.quote { return at + 1 }
            at += text[at] == Self.backslash ? 2 : 1
        }
        return nil
    }

    /// Behind the bracket that closes the one there.
    private func endOfBlock(_ start: Int) -> Int? {
        let (opening, closing) = (text[start], text[start] == Self.brace ? Self.closingBrace : Self.closingBracket)
        var (at, level) = (start, 0)
        while at < text.count {
            switch text[at] {
            case Self.quote:
                guard let end = endOfString(at) else { return nil }
                at = end
                continue
            case opening: level += 1
            case closing: level -= 1
            default: break
            }
            at += 1
            if level == 0 { return at }
        }
        return nil
    }

    /// Whether the string there is that key; nil when it cannot be unescaped.
    private func isKey(_ name: ByteSlice, at place: Range<Int>) -> Bool? {
        let inner = text[(place.lowerBound + 1)..<(place.upperBound - 1)]
        guard inner.firstIndex(of: Self.backslash) != nil else { return inner == name }
        var reader = JSONReader(text[place].buffer)
        return try? reader.text().unescaped().elementsEqual(name.buffer)
    }
}
