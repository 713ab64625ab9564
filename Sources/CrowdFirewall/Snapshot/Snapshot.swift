internal import CrowdCore

/// The desired state as it is kept over a reboot, when the kernel's sets are gone and the Local API may not be there yet.
///
/// What is left of each ban counts down by the wall clock, the only one that goes on while the machine is off; a clock
/// that was set back lengthens no ban beyond what was left when the snapshot was taken.
struct Snapshot {
    var state = DesiredState()
    var origins: OriginTable
    /// What the Local API said is never to be dropped.
    var allowed: [Allowances.Entry] = []

    static func write(
        _ state: DesiredState, _ origins: OriginTable, _ allowed: [Allowances.Entry], to writer: inout SnapshotWriter
    ) {
        let now = MonotonicClock.now()
        writer.put(Int64(Timestamp.now().seconds))
        writer.put(UInt32(origins.all.count))
        for origin in origins.all {
            writer.put(origin.label)
            writer.put(origin.name)
        }
        writer.put(UInt32(state.sets.count))
        for (id, bans) in state.sets {
            writer.put(id.family.rawValue)
            writer.put(UInt32(id.origin))
            writer.put(UInt32(bans.hosts.count))
            for (address, deadline) in bans.hosts {
                writer.put(address, width: id.family.width)
                writer.put(seconds(deadline, now))
            }
            writer.put(UInt32(bans.ranges.count))
            for (span, deadline) in bans.ranges {
                writer.put(span.first, width: id.family.width)
                writer.put(span.last, width: id.family.width)
                writer.put(seconds(deadline, now))
            }
        }
        writer.put(UInt32(allowed.count))
        for entry in allowed {
            writer.put(entry.family.rawValue)
            writer.put(entry.span.first, width: entry.family.width)
            writer.put(entry.span.last, width: entry.family.width)
            writer.put(seconds(entry.deadline, now))
        }
    }

    /// - Parameter longestName: of an origin, as the sets' names allow now.
    init(from reader: inout SnapshotReader, longestName: Int) throws(SnapshotError) {
        origins = OriginTable(longestName: longestName)
        let elapsed = Timestamp.now().seconds.subtractingReportingOverflow(try reader.take(Int64.self))
        let age = elapsed.overflow ? 0 : max(0, elapsed.partialValue)
        let now = MonotonicClock.now()
        var numbers: [Int] = []
        for _ in 0..<(try reader.take(UInt32.self)) {
            let (label, name) = (try reader.text(), try reader.text())
            numbers.append(origins.number(label: label, name: name))
        }
        for _ in 0..<(try reader.take(UInt32.self)) {
            guard let family = Family(rawValue: try reader.take()), case let number = Int(try reader.take(UInt32.self)),
                number < numbers.count
            else { throw SnapshotError("the snapshot makes no sense") }
            let id = SetID(family: family, origin: numbers[number])
            for _ in 0..<(try reader.take(UInt32.self)) {
                let address = try reader.take(width: family.width)
                insert(id, AddressSpan(first: address, last: address), try reader.take(), age, now)
            }
            for _ in 0..<(try reader.take(UInt32.self)) {
                let span = AddressSpan(
                    first: try reader.take(width: family.width), last: try reader.take(width: family.width))
                insert(id, span, try reader.take(), age, now)
            }
        }
        for _ in 0..<(try reader.take(UInt32.self)) {
            guard let family = Family(rawValue: try reader.take()) else {
                throw SnapshotError("the snapshot makes no sense")
            }
            let span = AddressSpan(
                first: try reader.take(width: family.width), last: try reader.take(width: family.width))
            let left = Int64(try reader.take(UInt32.self)) - age
            if left > 0, span.first <= span.last { allowed.append(.init(family, span, until: now + left * 1000)) }
        }
    }

    private mutating func insert(_ id: SetID, _ span: AddressSpan, _ left: UInt32, _ age: Int64, _ now: Deadline) {
        let seconds = Int64(left) - age
        guard seconds > 0, span.first <= span.last else { return }
        state.insertLongest(Ban(set: id, span: span, deadline: now + seconds * 1000))
    }

    private static func seconds(_ deadline: Deadline, _ now: Deadline) -> UInt32 {
        UInt32(clamping: (deadline - now + 999) / 1000)
    }
}
