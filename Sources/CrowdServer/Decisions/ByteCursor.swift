/// Writes bytes one behind the other into memory whose owner has made sure that there is room for all of them.
struct ByteCursor {
    private let start: UnsafeMutableRawPointer?
    private var next: UnsafeMutableRawPointer?

    init(_ memory: UnsafeMutableRawBufferPointer) { (start, next) = (memory.baseAddress, memory.baseAddress) }

    var count: Int {
        guard let start, let next else { return 0 }
        return next - start
    }

    @inline(__always)
    mutating func put(_ text: StaticString) {
        put(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inline(__always)
    mutating func put(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let next, let source = bytes.baseAddress else { return }
        next.copyMemory(from: source, byteCount: bytes.count)
        self.next = next + bytes.count
    }

    /// At most 20 digits.
    mutating func putDecimal(_ value: UInt64) {
        guard let next else { return }
        var (length, rest) = (1, value / 10)
        while rest > 0 {
            length += 1
            rest /= 10
        }
        rest = value
        for at in stride(from: length - 1, through: 0, by: -1) {
            let digit = UInt8(truncatingIfNeeded: rest % 10)
            next.storeBytes(of: UInt8(ascii: "0") + digit, toByteOffset: at, as: UInt8.self)
            rest /= 10
        }
        self.next = next + length
    }

    /// 36 bytes, in lower case.
    mutating func putUUID(_ high: UInt64, _ low: UInt64) {
        guard let next else { return }
        let parts = (
            Self.hex(UInt32(truncatingIfNeeded: high >> 32)), Self.hex(UInt32(truncatingIfNeeded: high)),
            Self.hex(UInt32(truncatingIfNeeded: low >> 32)), Self.hex(UInt32(truncatingIfNeeded: low))
        )
        next.storeBytes(of: parts.0, toByteOffset: 0, as: UInt64.self)
        next.storeBytes(of: UInt32(truncatingIfNeeded: parts.1), toByteOffset: 9, as: UInt32.self)
        next.storeBytes(of: UInt32(truncatingIfNeeded: parts.1 >> 32), toByteOffset: 14, as: UInt32.self)
        next.storeBytes(of: UInt32(truncatingIfNeeded: parts.2), toByteOffset: 19, as: UInt32.self)
        next.storeBytes(of: UInt32(truncatingIfNeeded: parts.2 >> 32), toByteOffset: 24, as: UInt32.self)
        next.storeBytes(of: parts.3, toByteOffset: 28, as: UInt64.self)
        for at in [8, 13, 18, 23] { next.storeBytes(of: UInt8(ascii: "-"), toByteOffset: at, as: UInt8.self) }
        self.next = next + 36
    }

    /// Eight hexadecimal digits as they lie in memory: each digit of the word is spread to a byte of its own, and all
    /// become text at once. (The order is that of a little-endian machine, as all are that Swift runs on.)
    @inline(__always)
    private static func hex(_ word: UInt32) -> UInt64 {
        var spread = UInt64(word)
        spread = (spread & 0xFFFF_0000) << 16 | spread & 0xFFFF
        spread = (spread & 0x0000_FF00_0000_FF00) << 8 | spread & 0x0000_00FF_0000_00FF
        spread = (spread & 0x00F0_00F0_00F0_00F0) << 4 | spread & 0x000F_000F_000F_000F
        let isLetter = (spread &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return (spread &+ 0x3030_3030_3030_3030 &+ isLetter &* 0x27).bigEndian
    }
}
