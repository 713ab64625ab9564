internal import CrowdCore
internal import Glibc

/// IPv4 and IPv6 live in tables and sets of their own.
enum Family: UInt8, CaseIterable, Sendable {
    case v4, v6

    /// Bytes of an address.
    var width: Int { self == .v4 ? 4 : 16 }
    var label: String { self == .v4 ? "ipv4" : "ipv6" }
    var highest: UInt128 { self == .v4 ? UInt128(UInt32.max) : .max }
}

/// Milliseconds of the monotonic clock, which the kernel's timeouts follow: setting the wall clock moves no ban.
typealias Deadline = Int64

enum MonotonicClock {
    static func now() -> Deadline {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Deadline(time.tv_sec) * 1000 + Deadline(time.tv_nsec) / 1_000_000
    }
}

/// Addresses from `first` to `last`, both included; IPv4 in the low 32 bits.
struct AddressSpan: Hashable, Sendable, Comparable {
    var first: UInt128
    var last: UInt128

    var isSingle: Bool { first == last }

    static func < (a: AddressSpan, b: AddressSpan) -> Bool {
        a.first != b.first ? a.first < b.first : a.last < b.last
    }
}

extension AddressSpan {
    /// The same addresses as prefixes, in order: at most two per bit of the address.
    func prefixes(_ family: Family) -> [AddressSpan] {
        var out: [AddressSpan] = []
        var next = first
        while next <= last {
            // As large as alignment and what is left allow.
            // ipset knows no prefix of length zero.
            var bits = min(next == 0 ? family.width * 8 : next.trailingZeroBitCount, family.width * 8 - 1)
            while bits > 0, Self.end(next, bits) > last { bits -= 1 }
            let end = Self.end(next, bits)
            out.append(AddressSpan(first: next, last: end))
            guard end < last else { break }
            next = end + 1
        }
        return out
    }

    private static func end(_ first: UInt128, _ bits: Int) -> UInt128 {
        bits >= 128 ? .max : first + ((UInt128(1) << UInt128(bits)) - 1)
    }
}

/// One decision that concerns the firewall: what, in which set, until when.
struct Ban: Equatable, Sendable {
    var set: SetID
    var span: AddressSpan
    /// Meaningless for a deletion.
    var deadline: Deadline
}

/// The bans of one origin and family. `origin` is an index into `OriginTable`.
struct SetID: Hashable, Sendable {
    var family: Family
    var origin: Int
}

extension AddressSpan {
    /// The addresses of `range`; IPv4 written as IPv6 (`::ffff:a.b.c.d`) counts as IPv4.
    static func of(_ range: IPRange) -> (Family, AddressSpan) {
        let first = range.first.unmapped
        let last = range.last.unmapped
        let family: Family = first.isV6 || last.isV6 ? .v6 : .v4
        guard family == .v6 else { return (.v4, AddressSpan(first: UInt128(first.low), last: UInt128(last.low))) }
        return (.v6, AddressSpan(first: number(range.first), last: number(range.last)))
    }

    private static func number(_ address: IPAddress) -> UInt128 { UInt128(address.high) << 64 | UInt128(address.low) }

    func firstText(_ family: Family) -> String { Self.text(first, family) }

    /// For messages.
    func text(_ family: Family) -> String {
        isSingle ? Self.text(first, family) : Self.text(first, family) + "-" + Self.text(last, family)
    }

    private static func text(_ number: UInt128, _ family: Family) -> String {
        let low = UInt64(truncatingIfNeeded: number)
        switch family {
        case .v4: return IPAddress(v4: UInt32(truncatingIfNeeded: low)).description
        case .v6: return IPAddress(v6High: UInt64(truncatingIfNeeded: number >> 64), low: low).description
        }
    }
}
