import CrowdCore

/// The limiter of one bucket: it holds `capacity` pours and leaks one every `leakspeed` (engine facts E.4).
///
/// (1) It starts full of tokens; a pour takes one. (2) Time may go back: that never refills, but a granted pour moves
/// the clock back with it. (3) A wait that is shorter than a nanosecond counts as none, so exact multiples of the
/// leakspeed do not overflow by rounding. Arithmetic is in doubles of seconds, as the reference's.
struct LeakyBucket {
    private var tokens: Double
    /// Nanoseconds since the epoch of the last granted pour; nil before the first.
    private var last: Int64?

    init(capacity: Int) { tokens = Double(capacity) }

    /// As `write` left it.
    init(_ reader: inout ByteReader) throws(DamagedBytes) {
        tokens = try reader.double()
        last = try reader.bool() ? try reader.number() : nil
    }

    func write(to writer: inout ByteWriter) {
        writer.double(tokens)
        writer.bool(last != nil)
        if let last { writer.number(last) }
    }

    /// True when the pour fits; false means overflow, and nothing changed.
    mutating func pour(at time: Int64, capacity: Int, leakSeconds: Double) -> Bool {
        guard capacity != -1 else { return true }
        let rate = 1 / leakSeconds
        var available = Double(capacity)
        if let last {
            let elapsed = Double(time - min(last, time)) / 1e9
            available = min(available, tokens + elapsed * rate)
        }
        let rest = available - 1
        if rest < 0 {
            let wait = (-rest / rate) * 1e9
            guard wait < 9.2e18, Int64(wait) == 0 else { return false }
        }
        guard capacity >= 1 else { return false }
        tokens = rest
        last = time
        return true
    }
}
