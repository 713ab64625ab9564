/// What the decisions ask of the kernel: addresses and ranges per origin and family, each with its deadline.
///
/// (1) One entry per origin and value: the Local API only ever tells the longest decision of a value, so what it tells
///     last is what holds, be it longer or shorter. Within one answer the longest wins.
/// (2) Deleting what is not there does nothing; so does deleting twice.
/// (3) Entries that are over are as good as gone; `purge` frees their room.
/// (4) Time is the caller's.
///
/// About 45 bytes per address.
struct DesiredState: Sendable {
    /// The bans of one origin and family.
    struct Bans: Equatable, Sendable {
        var hosts: [UInt128: Deadline] = [:]
        var ranges: [AddressSpan: Deadline] = [:]

        fileprivate mutating func insertLongest(_ ban: Ban) {
            if ban.span.isSingle {
                hosts[ban.span.first] = max(ban.deadline, hosts[ban.span.first] ?? ban.deadline)
            } else {
                ranges[ban.span] = max(ban.deadline, ranges[ban.span] ?? ban.deadline)
            }
        }

        var count: Int { hosts.count + ranges.count }
    }

    /// What one answer changes in the kernel's two sets of an origin and family.
    struct Change: Equatable, Sendable {
        var hosts = ElementPlan()
        var ranges = ElementPlan()
        var isEmpty: Bool { hosts.isEmpty && ranges.isEmpty }
    }

    private(set) var sets: [SetID: Bans] = [:]

    init() {}

    /// Takes one answer of the stream, deletions first.
    ///
    /// - Returns: only sets that change.
    mutating func apply(deleted: [Ban], new: [Ban], now: Deadline) -> [SetID: Change] {
        var gone: [SetID: Bans] = [:]
        for ban in deleted { gone[ban.set, default: Bans()].insertLongest(ban) }
        var coming: [SetID: Bans] = [:]
        for ban in new { coming[ban.set, default: Bans()].insertLongest(ban) }
        var changes: [SetID: Change] = [:]
        for set in Set(gone.keys).union(coming.keys) {
            let change = apply(set, gone: gone[set] ?? Bans(), coming: coming.removeValue(forKey: set) ?? Bans(), now)
            if !change.isEmpty { changes[set] = change }
        }
        return changes
    }

    /// Takes a complete list in place of all that was there.
    mutating func replace(with new: [Ban]) {
        sets = [:]
        for ban in new { insertLongest(ban) }
    }

    var count: Int { sets.values.reduce(0) { $0 + $1.count } }

    /// Frees entries that are over, in place.
    mutating func purge(now: Deadline) {
        for set in sets.keys {
            for key in (sets[set]?.hosts ?? [:]).filter({ $0.value <= now }).keys { sets[set]?.hosts[key] = nil }
            for key in (sets[set]?.ranges ?? [:]).filter({ $0.value <= now }).keys { sets[set]?.ranges[key] = nil }
        }
    }

    /// Adds one ban; of two for the same addresses the longer stays.
    mutating func insertLongest(_ ban: Ban) { sets[ban.set, default: Bans()].insertLongest(ban) }

    /// Adds bans; of two for the same addresses the longer stays.
    mutating func merge(_ bans: Bans, into set: SetID) {
        sets[set, default: Bans()].hosts.merge(bans.hosts) { max($0, $1) }
        sets[set, default: Bans()].ranges.merge(bans.ranges) { max($0, $1) }
    }

    /// Bans that end within a time.
    func ending(after now: Deadline, before horizon: Deadline) -> [Ban] {
        sets.flatMap { set, bans in
            bans.hosts.filter { $0.value > now && $0.value < horizon }.map {
                Ban(set: set, span: AddressSpan(first: $0.key, last: $0.key), deadline: $0.value)
            }
                + bans.ranges.filter { $0.value > now && $0.value < horizon }.map {
                    Ban(set: set, span: $0.key, deadline: $0.value)
                }
        }
    }

    private mutating func apply(_ set: SetID, gone: Bans, coming: Bans, _ now: Deadline) -> Change {
        var bans = sets.removeValue(forKey: set) ?? Bans()
        defer { sets[set] = bans }
        var change = Change()
        for key in gone.hosts.keys where coming.hosts[key] == nil {
            guard let old = bans.hosts.removeValue(forKey: key), old > now else { continue }
            change.hosts.remove.append(AddressSpan(first: key, last: key))
        }
        for (key, deadline) in coming.hosts {
            let old = bans.hosts.updateValue(deadline, forKey: key)
            if let old, old > now { change.hosts.remove.append(AddressSpan(first: key, last: key)) }
            change.hosts.add.append(Segment(key, key, until: deadline))
        }
        guard !gone.ranges.isEmpty || !coming.ranges.isEmpty else { return change }
        let touched = RangeCover.around(Array(gone.ranges.keys) + Array(coming.ranges.keys)) { place in
            bans.ranges.keys.filter(place.meets)
        }
        let before = RangeCover.segments(bans.ranges.filter { touched.meets($0.key) }, now: now)
        for span in gone.ranges.keys { bans.ranges[span] = nil }
        bans.ranges.merge(coming.ranges) { $1 }
        let after = RangeCover.segments(bans.ranges.filter { touched.meets($0.key) }, now: now)
        change.ranges = ElementPlan.from(before, to: after, .exact)
        return change
    }
}
