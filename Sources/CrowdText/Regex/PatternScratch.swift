internal import CRegex
public import CrowdCore
import Glibc

/// What one worker needs to match patterns: buffers, the JIT's stack, and a breaker for each pattern.
///
/// The result never depends on the way taken (regex facts 5): (1) text that is not UTF-8, and patterns without JIT
/// code, go to RE2; (2) up to 512 bytes the JIT runs with a step limit and RE2 decides when it gives up; (3) longer
/// text is first asked of RE2's linear automaton; (4) a pattern that keeps hitting the limit or the clock is demoted
/// for a while, so that a hostile line costs linear time.
public final class PatternScratch {
    static let matchLimit: UInt32 = 2_000
    static let shortText = 512
    static let demotedText = 64
    static let slowNanoseconds = 50_000

    private let jit: OpaquePointer?
    private let offsets: UnsafeMutablePointer<Int32>
    private let capacity: Int
    private let breakers: UnsafeMutableBufferPointer<Breaker>

    public init(patterns: Int, pairs: Int) {
        capacity = max(pairs, 8)
        offsets = .allocate(capacity: capacity * 2)
        offsets.initialize(repeating: -1, count: capacity * 2)
        jit = crowd_pcre2_scratch_new(UInt32(capacity), PatternScratch.matchLimit)
        breakers = .allocate(capacity: max(patterns, 1))
        breakers.initialize(repeating: Breaker())
    }

    deinit {
        offsets.deallocate()
        breakers.deallocate()
        crowd_pcre2_scratch_free(jit)
    }

    /// Where a pair of the last match lies: nil for a group that took no part.
    public func range(_ place: Int) -> Range<Int>? {
        let (start, end) = (offsets[2 * place], offsets[2 * place + 1])
        return start >= 0 && end >= start ? Int(start)..<Int(end) : nil
    }

    /// The part of the text that was searched which a pair of the last match states; empty for a group that took no part.
    public func part(_ place: Int, of text: ByteSlice) -> ByteSlice {
        range(place).map { text[$0] } ?? .empty
    }

    /// Searches `text`; on success the pairs are to be read with `range`.
    public func match(_ pattern: HybridPattern, _ text: ByteSlice, isUTF8: Bool) -> Bool {
        guard pattern.beginning.begins(text) else { return false }
        guard let code = pattern.jit, let jit, isUTF8, pattern.pairCount <= capacity, pattern.number < breakers.count
        else {
            return pattern.re2.match(text, into: offsets, pairs: min(pattern.pairCount, capacity))
        }
        let demoted = breakers[pattern.number].isDemoted()
        let limit = demoted ? PatternScratch.demotedText : PatternScratch.shortText
        if text.count > limit, !pattern.re2.matches(text) { return false }
        if demoted, text.count > limit {
            return pattern.re2.match(text, into: offsets, pairs: pattern.pairCount)
        }
        let isTimed = breakers[pattern.number].isTimed
        let start = isTimed ? PatternScratch.clock() : 0
        let result = crowd_pcre2_match(code, jit, text.base, text.count)
        if isTimed, PatternScratch.clock() - start > PatternScratch.slowNanoseconds {
            breakers[pattern.number].strike()
        }
        if result >= 0 {
            copyPairs(jit, set: Int(result), wanted: pattern.pairCount)
            return true
        }
        if result == -1 { return false }
        breakers[pattern.number].strike()
        return pattern.re2.match(text, into: offsets, pairs: pattern.pairCount)
    }

    private func copyPairs(_ jit: OpaquePointer, set: Int, wanted: Int) {
        guard let pairs = crowd_pcre2_offsets(jit) else { return }
        // PCRE2's "unset" is the largest size, which truncates to -1; groups past the last set one are unset.
        let filled = min(2 * set, 2 * wanted)
        for index in 0..<filled { offsets[index] = Int32(truncatingIfNeeded: pairs[index]) }
        for index in filled..<(2 * wanted) { offsets[index] = -1 }
    }

    private static func clock() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}

/// Demotes a pattern for 65,536 calls after 8 strikes within 1,024.
struct Breaker {
    private var calls: UInt32 = 0
    private var strikes: UInt32 = 0
    private var demotedLeft: UInt32 = 0

    /// Counts a call; true while the pattern is demoted.
    mutating func isDemoted() -> Bool {
        calls &+= 1
        if calls & 1_023 == 0 { strikes = 0 }
        guard demotedLeft > 0 else { return false }
        demotedLeft -= 1
        return true
    }

    /// One call in sixteen is timed.
    var isTimed: Bool { calls & 15 == 0 }

    /// True when this strike demoted the pattern.
    @discardableResult mutating func strike() -> Bool {
        strikes += 1
        guard strikes >= 8 else { return false }
        strikes = 0
        demotedLeft = 65_536
        return true
    }
}
