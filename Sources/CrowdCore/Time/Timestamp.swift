import Glibc

/// An instant with nanoseconds, and the zone in which it was written.
///
/// Two timestamps are equal when the instant is, whatever their zones. The range is that of 64-bit nanoseconds, the
/// years 1678 to 2261; what lies outside is clamped.
public struct Timestamp: Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public var nanoseconds: Int64
    /// Seconds east of UTC.
    public var offset: Int32

    public init(nanoseconds: Int64, offset: Int32 = 0) {
        self.nanoseconds = nanoseconds
        self.offset = offset
    }

    public init(seconds: Int64, nanosecond: Int64 = 0, offset: Int32 = 0) {
        let (product, over) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(nanosecond)
        nanoseconds = over || carry ? (seconds < 0 ? .min : .max) : sum
        self.offset = offset
    }

    /// The wall clock, in UTC.
    public static func now() -> Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }

    public init(_ civil: CivilTime, offset: Int32 = 0) {
        self.init(
            seconds: civil.epochSeconds - Int64(offset), nanosecond: Int64(civil.nanosecond), offset: offset)
    }

    /// Whole seconds since the epoch, rounded down.
    public var seconds: Int64 {
        let rest = nanoseconds % 1_000_000_000
        return nanoseconds / 1_000_000_000 - (rest < 0 ? 1 : 0)
    }

    /// Nanoseconds within the second, 0 to 999,999,999.
    public var nanosecond: Int {
        let rest = Int(nanoseconds % 1_000_000_000)
        return rest < 0 ? rest + 1_000_000_000 : rest
    }

    /// Date and time of day in the timestamp's own zone.
    public var civil: CivilTime { CivilTime(epochSeconds: seconds + Int64(offset), nanosecond: nanosecond) }

    public var utc: Timestamp { Timestamp(nanoseconds: nanoseconds) }
}

extension Timestamp: Hashable, Comparable {
    public static func == (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds == b.nanoseconds }
    public static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
    public func hash(into hasher: inout Hasher) { hasher.combine(nanoseconds) }

    public static func + (time: Timestamp, span: GoDuration) -> Timestamp {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(span.nanoseconds)
        return Timestamp(nanoseconds: overflow ? (span.nanoseconds < 0 ? .min : .max) : sum, offset: time.offset)
    }

    public static func - (time: Timestamp, span: GoDuration) -> Timestamp { time + -span }

    public static func - (a: Timestamp, b: Timestamp) -> GoDuration {
        let (difference, overflow) = a.nanoseconds.subtractingReportingOverflow(b.nanoseconds)
        return GoDuration(nanoseconds: overflow ? (a < b ? .min : .max) : difference)
    }
}
