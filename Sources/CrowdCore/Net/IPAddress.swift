/// An IPv4 or IPv6 address; an IPv4 address lives in the low 32 bits of `low`.
public struct IPAddress: Hashable, Sendable {
    public let isV6: Bool
    public let high: UInt64
    public let low: UInt64

    public init(v4: UInt32) {
        isV6 = false
        high = 0
        low = UInt64(v4)
    }

    public init(v6High: UInt64, low: UInt64) {
        isV6 = true
        high = v6High
        self.low = low
    }

    /// Reads the text forms of RFC 4291 section 2.2 and dotted IPv4; no zone, no leading zeros in octets.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        let parsed = text.withUTF8 { IPAddress(ascii: $0) }
        guard let parsed else { return nil }
        self = parsed
    }

    /// The same from bytes, without making a String: used per log line.
    public init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count >= 2, bytes.count <= 45 else { return nil }
        if bytes.contains(UInt8(ascii: ":")) {
            guard let parsed = IPAddress.parseV6(bytes) else { return nil }
            self = parsed
        } else {
            guard let v4 = IPAddress.parseV4(bytes) else { return nil }
            self.init(v4: v4)
        }
    }

    /// `::ffff:a.b.c.d` as the IPv4 address it carries; any other address as it is.
    public var unmapped: IPAddress {
        guard isV6, high == 0, low >> 32 == 0xffff else { return self }
        return IPAddress(v4: UInt32(truncatingIfNeeded: low))
    }

    public var bitWidth: Int { isV6 ? 128 : 32 }

    public func hash(into hasher: inout Hasher) {
        if isV6 { hasher.combine(high) }
        hasher.combine(low)
    }

    /// The 4 or 16 bytes as they travel in a packet.
    public var networkBytes: [UInt8] {
        let low8 = (0..<8).map { UInt8(truncatingIfNeeded: low >> (56 - 8 * $0)) }
        guard isV6 else { return Array(low8[4...]) }
        return (0..<8).map { UInt8(truncatingIfNeeded: high >> (56 - 8 * $0)) } + low8
    }

    static func parseV4(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt32? {
        var value: UInt32 = 0
        var octet: UInt32 = 0
        var digits = 0
        var dots = 0
        for byte in bytes {
            if byte == UInt8(ascii: ".") {
                guard digits > 0, dots < 3 else { return nil }
                value = value << 8 | octet
                (octet, digits, dots) = (0, 0, dots + 1)
            } else {
                guard byte >= 48, byte <= 57, !(digits > 0 && octet == 0) else { return nil }
                octet = octet * 10 + UInt32(byte - 48)
                digits += 1
                guard octet <= 255 else { return nil }
            }
        }
        return dots == 3 && digits > 0 ? value << 8 | octet : nil
    }

    private static func parseV6(_ bytes: UnsafeBufferPointer<UInt8>) -> IPAddress? {
        var groups = V6Groups()
        var at = 0
        let end = bytes.count
        if bytes[0] == colon {
            guard bytes[1] == colon else { return nil }
            groups.gap = 0
            at = 2
        }
        while at < end {
            let start = at
            var group: UInt32 = 0
            while at < end, let digit = hexValue(bytes[at]), at - start < 4 {
                group = group << 4 | UInt32(digit)
                at += 1
            }
            if at < end, bytes[at] == UInt8(ascii: ".") {
                guard let v4 = parseV4(UnsafeBufferPointer(rebasing: bytes[start...])) else { return nil }
                guard groups.append(UInt16(v4 >> 16)), groups.append(UInt16(truncatingIfNeeded: v4)) else { return nil }
                return groups.address
            }
            guard at > start, groups.append(UInt16(group)) else { return nil }
            guard at < end else { break }
            guard bytes[at] == colon else { return nil }
            at += 1
            if at < end, bytes[at] == colon {
                guard groups.gap == nil else { return nil }
                groups.gap = groups.count
                at += 1
            } else if at == end {
                return nil
            }
        }
        return groups.address
    }

    private static var colon: UInt8 { UInt8(ascii: ":") }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}

/// The 16-bit groups of an IPv6 text while it is read; `gap` is where `::` stood.
private struct V6Groups {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var count = 0
    var gap: Int?

    mutating func append(_ group: UInt16) -> Bool {
        guard count < 8 else { return false }
        high = high << 16 | low >> 48
        low = low << 16 | UInt64(group)
        count += 1
        return true
    }

    var address: IPAddress? {
        guard let gap else { return count == 8 ? IPAddress(v6High: high, low: low) : nil }
        guard count < 8 else { return nil }
        let tail = (count - gap) * 16
        let whole = UInt128(high) << 64 | UInt128(low)
        let tailBits = tail == 0 ? 0 : whole & (UInt128.max >> UInt128(128 - tail))
        let headBits = gap == 0 ? 0 : (whole >> UInt128(tail)) << UInt128(128 - gap * 16)
        let bits = headBits | tailBits
        return IPAddress(v6High: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
    }
}

extension IPAddress: Comparable {
    /// IPv4 before IPv6, then by value.
    public static func < (a: IPAddress, b: IPAddress) -> Bool {
        if a.isV6 != b.isV6 { return !a.isV6 }
        return a.high != b.high ? a.high < b.high : a.low < b.low
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text of RFC 5952; mapped addresses as `::ffff:a.b.c.d`.
    public var description: String {
        guard isV6 else { return IPAddress.dotted(UInt32(truncatingIfNeeded: low)) }
        if high == 0, low >> 32 == 0xffff { return "::ffff:" + IPAddress.dotted(UInt32(truncatingIfNeeded: low)) }
        let groups = (0..<8).map { index in
            UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
        }
        let gap = IPAddress.longestZeroRun(groups)
        func join(_ part: ArraySlice<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard let gap else { return join(groups[...]) }
        return join(groups[..<gap.lowerBound]) + "::" + join(groups[gap.upperBound...])
    }

    private static func dotted(_ value: UInt32) -> String {
        "\(value >> 24).\(value >> 16 & 255).\(value >> 8 & 255).\(value & 255)"
    }

    private static func longestZeroRun(_ groups: [UInt16]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(1, best?.count ?? 0) { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }
}
