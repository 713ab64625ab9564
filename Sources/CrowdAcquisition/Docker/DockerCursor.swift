import CrowdCore

/// Up to where the log of a container (or of one task of a service) was read.
///
/// The engine is asked for what came since a moment before the last line, since two lines that are written at once may be
/// kept in another order than that of their times; lines of that moment which were read are left out, known by their times.
struct DockerCursor: Equatable {
    /// Two lines kept in the wrong order are not further apart than this.
    private static let disorder: Int64 = 20_000_000
    /// The most times that are kept; a log that writes faster has its moment shortened.
    private static let mostTimes = 1_024

    /// In nanoseconds since the epoch, ascending.
    private(set) var times: [Int64]

    /// Nothing was read yet of what comes after this.
    init(at time: Timestamp) { times = [time.nanoseconds] }

    init?(_ text: Substring) {
        let parts = text.split(separator: ",")
        guard let last = parts.first.flatMap({ Int64($0) }) else { return nil }
        var times = [last]
        for part in parts.dropFirst() {
            guard let back = Int64(part, radix: 36), back >= 0, times.count < Self.mostTimes else { return nil }
            let (time, overflow) = last.subtractingReportingOverflow(back)
            guard !overflow else { return nil }
            times.append(time)
        }
        self.times = times.sorted()
    }

    /// The last time, then how far the others lie before it.
    var text: String {
        guard let last = times.last else { return "" }
        return ([String(last)] + times.dropLast().reversed().map { String(last - $0, radix: 36) }).joined(
            separator: ",")
    }

    var last: Timestamp { Timestamp(nanoseconds: times.last ?? 0) }

    /// Ask for what came since then.
    var since: Timestamp {
        let (last, first) = (times.last ?? 0, times.first ?? 0)
        // A full list may not reach back as far as that.
        let isShortened = times.count == Self.mostTimes
        return Timestamp(
            nanoseconds: isShortened ? first : last.subtractingReportingOverflow(Self.disorder).partialValue)
    }

    mutating func note(_ time: Timestamp) {
        let time = time.nanoseconds
        var at = times.count
        while at > 0, times[at - 1] > time { at -= 1 }
        times.insert(time, at: at)
        let oldest = (times.last ?? 0).subtractingReportingOverflow(Self.disorder).partialValue
        var drop = 0
        while drop < times.count - 1, times[drop] < oldest || times.count - drop > Self.mostTimes { drop += 1 }
        if drop > 0 { times.removeFirst(drop) }
    }
}

/// The cursors of all that one reader reads: of one container, or of a service's tasks.
struct DockerCursors: Equatable {
    /// Tasks whose last line is so much older than the newest are over.
    private static let longAgo: Int64 = 3_600_000_000_000
    private static let mostTasks = 64

    /// By task; a container's is "".
    private(set) var byTask: [String: DockerCursor]
    /// Lines that will be told again and were read.
    private var known: [String: [Int64: Int]] = [:]
    /// What comes before this was read.
    private var begun: [String: Timestamp] = [:]

    init(at time: Timestamp) {
        byTask = ["": DockerCursor(at: time)]
        expectKnown()
    }

    /// `task=times task=times …`
    init?(_ text: String) {
        var byTask: [String: DockerCursor] = [:]
        for part in text.split(separator: " ") {
            let sides = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2, let cursor = DockerCursor(sides[1]) else { return nil }
            byTask[String(sides[0])] = cursor
        }
        guard !byTask.isEmpty else { return nil }
        self.byTask = byTask
        expectKnown()
    }

    var text: String {
        byTask.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }.joined(separator: " ")
    }

    /// What the engine is to be asked for.
    var since: Timestamp { byTask.values.map(\.since).min() ?? Timestamp(nanoseconds: 0) }

    /// The next answer begins at `since`: what was read of it comes again.
    mutating func expectKnown() {
        begun = byTask.mapValues(\.since)
        known = byTask.mapValues { cursor in
            cursor.times.reduce(into: [:]) { $0[$1, default: 0] += 1 }
        }
    }

    /// Whether a line is new; it counts as read from then on.
    mutating func isNew(_ time: Timestamp, task: String) -> Bool {
        if let start = begun[task], time < start { return false }
        guard var cursor = byTask[task] else {
            byTask[task] = DockerCursor(at: time)
            forgetOldTasks()
            return true
        }
        if let count = known[task]?[time.nanoseconds], count > 0 {
            known[task]?[time.nanoseconds] = count - 1
            return false
        }
        cursor.note(time)
        byTask[task] = cursor
        return true
    }

    private mutating func forgetOldTasks() {
        let newest = byTask.values.map(\.last.nanoseconds).max() ?? 0
        byTask = byTask.filter { newest - $0.value.last.nanoseconds < Self.longAgo }
        while byTask.count > Self.mostTasks {
            guard let eldest = byTask.min(by: { $0.value.last < $1.value.last }) else { return }
            byTask[eldest.key] = nil
        }
    }
}
