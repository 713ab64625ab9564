import CrowdCore
import CrowdText

/// `contains`, `startsWith`, `endsWith`: text in text.
enum TextTest {
    case contains, startsWith, endsWith

    @inline(__always)
    func holds(_ text: ByteSlice, _ part: ByteSlice) -> Bool {
        switch self {
        case .contains: text.contains(part)
        case .startsWith: text.hasPrefix(part)
        case .endsWith: text.hasSuffix(part)
        }
    }
}

final class TextTestNode: BoolNode {
    let test: TextTest
    let left: Node
    let right: Node
    /// Both sides known to be text; otherwise nil on either side gives false and other kinds are an error.
    let isText: Bool
    init(_ test: TextTest, _ left: Node, _ right: Node, isText: Bool, at offset: Int) {
        (self.test, self.left, self.right, self.isText) = (test, left, right, isText)
        super.init(at: offset)
    }
    override var needs: [[NeedleNeed]] { isText ? NeedleNeed.group(left, right.constantText.map { [$0] }) : [] }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        if isText {
            let text = try left.text(machine)
            return test.holds(text, try right.text(machine))
        }
        let (a, b) = (try left.value(machine), try right.value(machine))
        guard !a.isNull, !b.isNull else { return false }
        guard case .string(let text) = a, case .string(let part) = b else {
            throw error("interface conversion: interface {} is \(a.kind) and \(b.kind), not string")
        }
        return test.holds(text, part)
    }
}

/// `matches` with a pattern known at load.
final class Matches: BoolNode {
    let subject: Node
    let pattern: GoPattern
    /// Of these the pattern needs one; nil when that is not known.
    private let necessary: [ByteSlice]?
    init(_ subject: Node, _ pattern: GoPattern, needing texts: [String]?, at offset: Int) {
        (self.subject, self.pattern) = (subject, pattern)
        necessary = texts?.map { Immortal.copy($0) }
        super.init(at: offset)
    }
    override var needs: [[NeedleNeed]] { NeedleNeed.group(subject, necessary, isOwnWay: true) }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        switch try subject.value(machine) {
        case .string(let text): return pattern.matches(text)
        case .null: return false
        case let other: throw error("interface conversion: interface {} is \(other.kind), not string")
        }
    }
}

/// `any(list, {text matches #})` and `RegexpInFile(text, 'file')`, where the list or the file was known at load.
final class MatchesAny: BoolNode {
    private let subject: Node
    private let patterns: PatternSet
    private let necessary: [ByteSlice]?
    init(_ subject: Node, _ patterns: PatternSet, at offset: Int) {
        (self.subject, self.patterns) = (subject, patterns)
        necessary = patterns.necessaryTexts?.map { Immortal.copy($0) }
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool { patterns.matchesAny(try subject.text(machine)) }
    override var needs: [[NeedleNeed]] { NeedleNeed.group(subject, necessary, isOwnWay: true) }
}

/// `matches` with a computed pattern: compiled when first met, then kept.
final class MatchesComputed: BoolNode {
    let subject: Node
    let pattern: Node
    private let cache = PatternCache()
    init(_ subject: Node, _ pattern: Node, at offset: Int) {
        (self.subject, self.pattern) = (subject, pattern)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let (a, b) = (try subject.value(machine), try pattern.value(machine))
        guard !a.isNull, !b.isNull else { return false }
        guard case .string(let text) = a, case .string(let pattern) = b else {
            throw error("interface conversion: interface {} is \(a.kind) and \(b.kind), not string")
        }
        do {
            return try cache.pattern(String(pattern)).matches(text)
        } catch {
            throw self.error(error.description)
        }
    }
}

/// A function of one text that gives a text.
final class TextCall: TextNode {
    let function: Function
    let argument: Node
    private let body: @Sendable (ByteSlice, Arena) -> ByteSlice
    init(
        _ function: Function, _ body: @escaping @Sendable (ByteSlice, Arena) -> ByteSlice, _ argument: Node,
        at offset: Int
    ) {
        (self.function, self.body, self.argument) = (function, body, argument)
        super.init(at: offset)
    }
    override func text(_ machine: Machine) throws(ExprError) -> ByteSlice {
        body(try argument.text(machine), machine.arena)
    }
}

/// Text joined with `+`.
final class Join: TextNode {
    let left: Node
    let right: Node
    init(_ left: Node, _ right: Node, at offset: Int) {
        (self.left, self.right) = (left, right)
        super.init(at: offset)
    }
    override func text(_ machine: Machine) throws(ExprError) -> ByteSlice {
        let a = try left.text(machine)
        return machine.arena.join(a, try right.text(machine))
    }
}
