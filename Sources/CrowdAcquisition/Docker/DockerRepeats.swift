import CrowdCore

/// What an engine tells twice in one answer.
///
/// When it rotates a log that somebody follows, an engine (20.10 seen) may tell all that the new file holds so far a second
/// time, with the same times to the nanosecond. A line is taken for such a repetition if one of the same text and time was told
/// before: two that were written are not, except by an engine whose clock counts in tenths of microseconds (Windows), and there
/// only those that come after a later one are left out.
struct DockerRepeats {
    /// So much is told again at most.
    private static let mostLines = 1_024

    private struct Told: Equatable {
        var time: Int64
        var sum: UInt32
    }

    /// A ring.
    private var told: [Told] = []
    private var oldest = 0
    private var newest = Int64.min
    private var clockIsFine = false

    /// Whether this was told before; it counts as told from then on.
    mutating func isRepeated(_ entry: DockerLogCutter.Entry, at time: Timestamp) -> Bool {
        let line = Told(time: time.nanoseconds, sum: Checksum.crc32(entry.line.buffer))
        clockIsFine = clockIsFine || line.time % 100 != 0
        if line.time < newest || (line.time == newest && clockIsFine), told.contains(line) { return true }
        newest = max(newest, line.time)
        if told.count < Self.mostLines {
            told.append(line)
        } else {
            told[oldest] = line
            oldest = (oldest + 1) % Self.mostLines
        }
        return false
    }
}
