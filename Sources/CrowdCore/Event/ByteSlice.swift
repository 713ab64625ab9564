public import Glibc

/// A run of bytes that somebody else keeps alive: an event's arena, the constants of a loaded pipeline.
///
/// It is a pointer and a length, copied freely and never counted, so that a log line costs no reference counting.
/// Whoever stores one beyond the life of its owner copies it first (`Arena.copy`, `Array`, `String`). Text is bytes:
/// a line with invalid UTF-8 keeps them, and they are repaired only where JSON is written.
@frozen public struct ByteSlice: @unchecked Sendable {
    // Sendable: the bytes are never changed after the slice was made; the owner outlives it by the rule above.
    public let base: UnsafePointer<UInt8>
    public let count: Int

    @inlinable public init(base: UnsafePointer<UInt8>, count: Int) {
        self.base = base
        self.count = count
    }

    @inlinable public init(_ buffer: UnsafeBufferPointer<UInt8>) {
        base = buffer.baseAddress ?? ByteSlice.empty.base
        count = buffer.count
    }

    /// Bytes of the program itself: literals.
    @inlinable public init(_ literal: StaticString) {
        base = literal.utf8Start
        count = literal.utf8CodeUnitCount
    }

    /// Computed, because a stored one would be asked each time whether it has been made.
    @inlinable public static var empty: ByteSlice { ByteSlice("") }

    @inlinable public var isEmpty: Bool { count == 0 }
    @inlinable public var buffer: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: base, count: count) }
    @inlinable public subscript(_ index: Int) -> UInt8 { base[index] }

    /// The bytes of `range`, which must lie inside.
    @inlinable public subscript(_ range: Range<Int>) -> ByteSlice {
        ByteSlice(base: base + range.lowerBound, count: range.count)
    }

    @inlinable public func hasPrefix(_ other: ByteSlice) -> Bool {
        count >= other.count && memcmp(base, other.base, other.count) == 0
    }

    @inlinable public func hasSuffix(_ other: ByteSlice) -> Bool {
        count >= other.count && memcmp(base + (count - other.count), other.base, other.count) == 0
    }

    /// Position of the first occurrence of `other` at or after `start`; an empty one is found at `start`.
    public func find(_ other: ByteSlice, from start: Int = 0) -> Int? {
        guard other.count > 0 else { return start <= count ? start : nil }
        guard start + other.count <= count else { return nil }
        var at = start
        let last = count - other.count
        while at <= last, let hit = memchr(base + at, Int32(other.base[0]), last - at + 1) {
            at = base.distance(to: hit.assumingMemoryBound(to: UInt8.self))
            if memcmp(base + at, other.base, other.count) == 0 { return at }
            at += 1
        }
        return nil
    }

    public func contains(_ other: ByteSlice) -> Bool { find(other) != nil }

    public func firstIndex(of byte: UInt8) -> Int? {
        guard count > 0, let hit = memchr(base, Int32(byte), count) else { return nil }
        return base.distance(to: hit.assumingMemoryBound(to: UInt8.self))
    }

    public func lastIndex(of byte: UInt8) -> Int? { buffer.lastIndex(of: byte) }
}

extension ByteSlice: Hashable, Comparable {
    @inlinable public static func == (a: ByteSlice, b: ByteSlice) -> Bool {
        guard a.count == b.count else { return false }
        guard a.base != b.base, a.count > 0 else { return true }
        // Most texts that are compared differ at once.
        return a.base[0] == b.base[0] && memcmp(a.base, b.base, a.count) == 0
    }

    /// Byte order.
    @inlinable public static func < (a: ByteSlice, b: ByteSlice) -> Bool {
        let order = memcmp(a.base, b.base, min(a.count, b.count))
        return order != 0 ? order < 0 : a.count < b.count
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(fold(seed: 0)) }

    /// Dictionaries ask for this instead of running SipHash: buckets are found by it for every event.
    ///
    /// Attackers choose the texts, so the hash is keyed with a secret of the process.
    public func _rawHashValue(seed: Int) -> Int { Int(bitPattern: UInt(fold(seed: UInt64(bitPattern: Int64(seed))))) }

    /// 64 bits that depend on the text and on a secret of the process.
    public var keyedHash: UInt64 { fold(seed: 0) }

    /// 64 bits that depend on the text and on `key` alone: for hashes that outlive the process.
    public func hash(keyedBy key: UInt64) -> UInt64 { fold(seed: key, secret: key &* 0x9e37_79b9_7f4a_7c15 | 1) }

    private static let secret = UInt64.random(in: 0...UInt64.max) | 1

    /// Multiply-and-fold over words of eight bytes, as wyhash does, two at a time while there are two. What they are
    /// multiplied with is secret, so that nobody can write a word that makes what came before it count for nothing.
    private func fold(seed: UInt64, secret: UInt64 = ByteSlice.secret) -> UInt64 {
        var state = seed ^ secret
        var left = count
        var at = UnsafeRawPointer(base)
        while left >= 16 {
            state = ByteSlice.mix(
                state ^ at.loadUnaligned(as: UInt64.self),
                secret ^ at.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
            at += 16
            left -= 16
        }
        if left >= 8 {
            state = ByteSlice.mix(state ^ at.loadUnaligned(as: UInt64.self), 0xa076_1d64_78bd_642f)
            at += 8
            left -= 8
        }
        var tail = UInt64(truncatingIfNeeded: count)
        while left > 0 {
            left -= 1
            tail = tail << 8 | UInt64(at.load(fromByteOffset: left, as: UInt8.self))
        }
        return ByteSlice.mix(state ^ tail, 0xe703_7ed1_a0b4_28db ^ secret)
    }

    @inline(__always) private static func mix(_ a: UInt64, _ b: UInt64) -> UInt64 {
        let product = a.multipliedFullWidth(by: b)
        return product.high ^ product.low
    }
}

extension ByteSlice: CustomStringConvertible {
    /// The text, invalid UTF-8 repaired.
    public var description: String { String(decoding: buffer, as: UTF8.self) }
}

extension String {
    /// The text, invalid UTF-8 repaired.
    public init(_ slice: ByteSlice) { self.init(decoding: slice.buffer, as: UTF8.self) }
}
