/// A span of time, read and printed as Go does: `1h30m`, `500ms`, `3h59m52s`, `0s`.
public struct GoDuration: Hashable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static func seconds(_ seconds: Int64) -> GoDuration {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return GoDuration(nanoseconds: overflow ? (seconds < 0 ? .min : .max) : product)
    }

    public static func milliseconds(_ milliseconds: Int64) -> GoDuration {
        GoDuration(nanoseconds: milliseconds &* 1_000_000)
    }

    public static let zero = GoDuration(nanoseconds: 0)

    public var seconds: Double { Double(nanoseconds) / 1e9 }

    /// Half away from zero, as Go's `Round(time.Second)`.
    public var roundedToSeconds: GoDuration {
        let second: Int64 = 1_000_000_000
        let rest = nanoseconds % second
        let floor = nanoseconds - rest
        if rest >= second / 2 { return GoDuration(nanoseconds: floor) + .seconds(1) }
        if rest <= -second / 2 { return GoDuration(nanoseconds: floor) + .seconds(-1) }
        return GoDuration(nanoseconds: floor)
    }

    /// Go's `time.ParseDuration`; with `allowingDays` also a leading whole `Nd` of 24 hours each.
    public init?(_ text: some StringProtocol, allowingDays: Bool = false) {
        var text = String(text)
        let parsed = text.withUTF8 { DurationParser(bytes: $0, allowingDays: allowingDays).parse() }
        guard let parsed else { return nil }
        nanoseconds = parsed
    }
}

private struct DurationParser {
    let bytes: UnsafeBufferPointer<UInt8>
    let allowingDays: Bool

    func parse() -> Int64? {
        var at = 0
        var negative = false
        if let sign = bytes.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            negative = sign == UInt8(ascii: "-")
            at = 1
        }
        guard at < bytes.count, bytes.count <= 64 else { return nil }
        if bytes.count - at == 1, bytes[at] == UInt8(ascii: "0") { return 0 }
        var total: Int64 = 0
        let start = at
        while at < bytes.count {
            guard let part = part(&at, isFirst: at == start) else { return nil }
            let (sum, overflow) = total.addingReportingOverflow(part)
            guard !overflow else { return nil }
            total = sum
        }
        return negative ? -total : total
    }

    /// One `number unit` pair.
    private func part(_ at: inout Int, isFirst: Bool) -> Int64? {
        var whole: Int64 = 0
        var digits = 0
        while at < bytes.count, let digit = digit(at) {
            let (tens, over) = whole.multipliedReportingOverflow(by: 10)
            let (next, overflow) = tens.addingReportingOverflow(digit)
            guard !over, !overflow else { return nil }
            (whole, digits, at) = (next, digits + 1, at + 1)
        }
        var fraction: Double = 0
        var hasFraction = false
        if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
            at += 1
            var scale = 0.1
            hasFraction = true
            while at < bytes.count, let digit = digit(at) {
                fraction += Double(digit) * scale
                (scale, digits, at) = (scale / 10, digits + 1, at + 1)
            }
        }
        guard digits > 0, let unit = unit(&at, isFirst: isFirst && !hasFraction) else { return nil }
        let (product, overflow) = whole.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        let (sum, carry) = product.addingReportingOverflow(Int64((fraction * Double(unit)).rounded()))
        return carry ? nil : sum
    }

    private func digit(_ at: Int) -> Int64? {
        let byte = bytes[at]
        return byte >= 48 && byte <= 57 ? Int64(byte - 48) : nil
    }

    private func unit(_ at: inout Int, isFirst: Bool) -> Int64? {
        let start = at
        while at < bytes.count, digit(at) == nil, bytes[at] != UInt8(ascii: ".") { at += 1 }
        switch String(decoding: bytes[start..<at], as: UTF8.self) {
        case "ns": return 1
        case "us", "µs", "μs": return 1_000
        case "ms": return 1_000_000
        case "s": return 1_000_000_000
        case "m": return 60_000_000_000
        case "h": return 3_600_000_000_000
        case "d" where allowingDays && isFirst: return 86_400_000_000_000
        default: return nil
        }
    }
}

extension GoDuration: Comparable {
    public static func < (a: GoDuration, b: GoDuration) -> Bool { a.nanoseconds < b.nanoseconds }
    public static func + (a: GoDuration, b: GoDuration) -> GoDuration {
        let (sum, overflow) = a.nanoseconds.addingReportingOverflow(b.nanoseconds)
        return GoDuration(nanoseconds: overflow ? (b.nanoseconds < 0 ? .min : .max) : sum)
    }
    public static prefix func - (a: GoDuration) -> GoDuration {
        GoDuration(nanoseconds: a.nanoseconds == .min ? .max : -a.nanoseconds)
    }
}

extension GoDuration: CustomStringConvertible {
    /// Go's `Duration.String()`.
    public var description: String {
        if nanoseconds == 0 { return "0s" }
        let sign = nanoseconds < 0 ? "-" : ""
        let span = nanoseconds.magnitude
        if span < 1_000 { return "\(sign)\(span)ns" }
        if span < 1_000_000 { return sign + GoDuration.decimal(span, unit: 1_000) + "µs" }
        if span < 1_000_000_000 { return sign + GoDuration.decimal(span, unit: 1_000_000) + "ms" }
        let seconds = GoDuration.decimal(span % 60_000_000_000, unit: 1_000_000_000) + "s"
        let minutes = span / 60_000_000_000
        if minutes == 0 { return sign + seconds }
        if minutes < 60 { return "\(sign)\(minutes)m\(seconds)" }
        return "\(sign)\(minutes / 60)h\(minutes % 60)m\(seconds)"
    }

    /// `value / unit` with all digits that are not zero.
    private static func decimal(_ value: UInt64, unit: UInt64) -> String {
        let rest = value % unit
        guard rest != 0 else { return "\(value / unit)" }
        var digits = String(rest)
        let width = String(unit).utf8.count - 1
        digits = String(repeating: "0", count: width - digits.utf8.count) + digits
        while digits.utf8.last == UInt8(ascii: "0") { digits.removeLast() }
        return "\(value / unit).\(digits)"
    }
}
