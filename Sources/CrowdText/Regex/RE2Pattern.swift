internal import CRegex
public import CrowdCore

/// Why a regular expression was refused, in RE2's words.
public struct RegexError: Error, Equatable, Sendable, CustomStringConvertible {
    public let pattern: String
    public let reason: String
    public init(pattern: String, reason: String) {
        self.pattern = pattern
        self.reason = reason
    }
    public var description: String { "error parsing regexp: \(reason): `\(pattern)`" }
}

/// A pattern compiled by RE2: the arbiter of syntax and results (regex facts 3.1). Matching time is linear.
public final class RE2Pattern: @unchecked Sendable {
    // Sendable: an RE2 object is immutable after compiling and locks its own caches.
    private let handle: OpaquePointer
    public let groupCount: Int

    /// 64 MiB of automaton memory: what the largest published grok needs several times over.
    public init(_ pattern: String, maxMemory: Int64 = 64 << 20) throws(RegexError) {
        var error = [CChar](repeating: 0, count: 256)
        // Older RE2 knows only Python's spelling of a named group.
        var text = RE2Pattern.withPythonNames(pattern)
        let made = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                crowd_re2_new($0.baseAddress, $0.count, maxMemory, &error, error.count)
            }
        }
        guard let made else {
            let reason = error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            throw RegexError(pattern: pattern, reason: RE2Pattern.inGosWords(String(decoding: reason, as: UTF8.self)))
        }
        handle = made
        groupCount = Int(crowd_re2_group_count(made))
    }

    deinit { crowd_re2_free(handle) }

    /// RE2's reason in the words that Go's regexp has for it, which operators and scripts know.
    private static func inGosWords(_ reason: String) -> String {
        let words = [
            ("missing ]", "missing closing ]"), ("missing )", "missing closing )"),
            ("no argument for repetition operator", "missing argument to repetition operator"),
            ("bad repetition operator", "invalid nested repetition operator"),
            ("invalid perl operator", "invalid or unsupported Perl syntax"),
        ]
        for (ours, gos) in words where reason.hasPrefix(ours) { return gos }
        return reason.split(separator: ":").first.map(String.init) ?? reason
    }

    public func matches(_ text: ByteSlice) -> Bool {
        crowd_re2_match(handle, text.base, text.count, 0, nil, 0) != 0
    }

    /// The leftmost match with its groups: (start, end) pairs into `offsets`, -1 for a group that took no part.
    public func match(_ text: ByteSlice, into offsets: UnsafeMutablePointer<Int32>, pairs: Int) -> Bool {
        crowd_re2_match(handle, text.base, text.count, 0, offsets, Int32(pairs)) != 0
    }

    private static func withPythonNames(_ pattern: String) -> String {
        guard pattern.contains("(?<") else { return pattern }
        var bytes: [UInt8] = []
        let source = Array(pattern.utf8)
        var at = 0
        while at < source.count {
            if source[at] == UInt8(ascii: "\\"), at + 1 < source.count {
                bytes += source[at...(at + 1)]
                at += 2
            } else if source[at...].starts(with: "(?<".utf8) {
                bytes += "(?P<".utf8
                at += 3
            } else {
                bytes.append(source[at])
                at += 1
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// A pattern as Go's `regexp` reads it: RE2, with every byte that is not UTF-8 seen as U+FFFD (regex facts 3.1).
///
/// This is the dialect of the `matches` operator and of pattern files; groks use RE2's own.
public final class GoPattern: Sendable {
    private let pattern: RE2Pattern

    public init(_ pattern: String) throws(RegexError) { self.pattern = try RE2Pattern(pattern) }

    public func matches(_ text: ByteSlice) -> Bool {
        guard !UTF8Check.isValid(text) else { return pattern.matches(text) }
        var repaired = String(text)
        return repaired.withUTF8 { pattern.matches(ByteSlice($0)) }
    }
}

public enum UTF8Check {
    /// Whether the bytes are well-formed UTF-8 (surrogates are not).
    public static func isValid(_ text: ByteSlice) -> Bool {
        var at = 0
        let count = text.count
        let base = UnsafeRawPointer(text.base)
        func word(_ at: Int) -> UInt64 { base.loadUnaligned(fromByteOffset: at, as: UInt64.self) }
        while at + 32 <= count {
            let together = word(at) | word(at + 8) | word(at + 16) | word(at + 24)
            guard together & 0x8080_8080_8080_8080 == 0 else { break }
            at += 32
        }
        while at + 8 <= count {
            guard word(at) & 0x8080_8080_8080_8080 == 0 else { break }
            at += 8
        }
        while at < count, text[at] < 0x80 { at += 1 }
        return at == count || isValidSlow(text, from: at)
    }

    private static func isValidSlow(_ text: ByteSlice, from start: Int) -> Bool {
        var at = start
        while at < text.count {
            let length = sequenceLength(text, at)
            guard length > 0 else { return false }
            at += length
        }
        return true
    }

    /// The length of the character at `at`, 0 when it is malformed (Unicode 15, table 3-7).
    static func sequenceLength(_ text: ByteSlice, _ at: Int) -> Int {
        let lead = text[at]
        if lead < 0x80 { return 1 }
        func tail(_ index: Int, _ range: ClosedRange<UInt8> = 0x80...0xbf) -> Bool {
            at + index < text.count && range.contains(text[at + index])
        }
        switch lead {
        case 0xc2...0xdf: return tail(1) ? 2 : 0
        case 0xe0: return tail(1, 0xa0...0xbf) && tail(2) ? 3 : 0
        case 0xed: return tail(1, 0x80...0x9f) && tail(2) ? 3 : 0
        case 0xe1...0xef: return tail(1) && tail(2) ? 3 : 0
        case 0xf0: return tail(1, 0x90...0xbf) && tail(2) && tail(3) ? 4 : 0
        case 0xf1...0xf3: return tail(1) && tail(2) && tail(3) ? 4 : 0
        case 0xf4: return tail(1, 0x80...0x8f) && tail(2) && tail(3) ? 4 : 0
        default: return 0
        }
    }
}

/// Many patterns of Go's dialect, asked all at once whether any of them matches: a `type: regexp` data file.
public final class PatternSet: @unchecked Sendable {
    // Sendable: the set is immutable after compiling; RE2 locks its own caches.
    private let handle: OpaquePointer?
    private let patterns: [GoPattern]
    public var count: Int { patterns.count }
    /// Texts of which one must occur, ASCII case aside, wherever a pattern matches; nil when none is known.
    public let necessaryTexts: [String]?

    public init(_ texts: [String]) throws(RegexError) {
        var patterns: [GoPattern] = []
        for text in texts { patterns.append(try GoPattern(text)) }
        self.patterns = patterns
        let needs = texts.compactMap(PatternNeeds.texts)
        necessaryTexts = needs.count == texts.count ? Array(needs.joined()) : nil
        handle = PatternSet.compile(texts)
    }

    deinit { if let handle { crowd_re2_set_free(handle) } }

    /// nil when the set needs more memory than allowed; the patterns are then asked one by one.
    private static func compile(_ texts: [String]) -> OpaquePointer? {
        guard !texts.isEmpty, let set = crowd_re2_set_new(256 << 20) else { return nil }
        for var text in texts {
            let index = text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) { crowd_re2_set_add(set, $0.baseAddress, $0.count, nil, 0) }
            }
            if index < 0 {
                crowd_re2_set_free(set)
                return nil
            }
        }
        guard crowd_re2_set_compile(set) != 0 else {
            crowd_re2_set_free(set)
            return nil
        }
        return set
    }

    public func matchesAny(_ text: ByteSlice) -> Bool {
        if let handle, UTF8Check.isValid(text) {
            let answer = crowd_re2_set_matches(handle, text.base, text.count)
            if answer >= 0 { return answer == 1 }
        }
        return patterns.contains { $0.matches(text) }
    }
}
