/// A range of addresses in prefix form; a single address is a /32 or /128.
public struct IPRange: Hashable, Sendable {
    public let first: IPAddress
    public let last: IPAddress
    public let prefixLength: Int

    public init(_ address: IPAddress) {
        self.init(address, prefixLength: address.bitWidth)
    }

    /// The range of that length around `address`; host bits are masked away. The length is clamped to the family's.
    public init(_ address: IPAddress, prefixLength: Int) {
        let length = min(max(prefixLength, 0), address.bitWidth)
        let hostBits = address.bitWidth - length
        let mask: UInt128 = hostBits == 0 ? 0 : UInt128.max >> UInt128(128 - hostBits)
        let bits = UInt128(address.high) << 64 | UInt128(address.low)
        first = IPRange.address(bits & ~mask, isV6: address.isV6)
        last = IPRange.address(bits | mask, isV6: address.isV6)
        self.prefixLength = length
    }

    /// Reads `address/length` or an address alone. Text with a mapped IPv6 address keeps its family.
    public init?(_ text: some StringProtocol) {
        var text = String(text)
        guard let range = text.withUTF8({ IPRange(ascii: $0) }) else { return nil }
        self = range
    }

    /// In CIDR form alone: an address is no range here, although it could be read as one.
    public init?(cidr text: some StringProtocol) {
        guard text.contains("/") else { return nil }
        self.init(text)
    }

    /// The same from bytes, without making a String.
    public init?(ascii bytes: UnsafeBufferPointer<UInt8>) {
        guard let slash = bytes.firstIndex(of: UInt8(ascii: "/")) else {
            guard let address = IPAddress(ascii: bytes) else { return nil }
            self.init(address)
            return
        }
        let digits = bytes[(slash + 1)...]
        guard let address = IPAddress(ascii: UnsafeBufferPointer(rebasing: bytes[..<slash])),
            (1...3).contains(digits.count)
        else { return nil }
        var length = 0
        for digit in digits {
            guard digit >= 48, digit <= 57 else { return nil }
            length = length * 10 + Int(digit - 48)
        }
        guard length <= address.bitWidth else { return nil }
        self.init(address, prefixLength: length)
    }

    public var isSingleAddress: Bool { prefixLength == first.bitWidth }

    public func contains(_ address: IPAddress) -> Bool {
        address.isV6 == first.isV6 && first <= address && address <= last
    }

    public func contains(_ other: IPRange) -> Bool { contains(other.first) && contains(other.last) }

    private static func address(_ bits: UInt128, isV6: Bool) -> IPAddress {
        isV6
            ? IPAddress(v6High: UInt64(truncatingIfNeeded: bits >> 64), low: UInt64(truncatingIfNeeded: bits))
            : IPAddress(v4: UInt32(truncatingIfNeeded: bits))
    }
}

extension IPRange: CustomStringConvertible {
    public var description: String { "\(first)/\(prefixLength)" }
}
