/// What has to change in one kernel set: removals come first, in the same transaction, so that a renewed element gets
/// its new timeout and a changed range does not collide with its old self.
struct ElementPlan: Equatable, Sendable {
    var remove: [AddressSpan] = []
    var add: [Segment] = []

    var isEmpty: Bool { remove.isEmpty && add.isEmpty }
    var count: Int { remove.count + add.count }

    /// From one cover to another, both sorted and free of overlap.
    ///
    /// - Parameter tolerance: deadlines closer than this are the same: the Local API rounds to seconds, and a dump takes
    ///   its time.
    static func from(_ actual: [Segment], to desired: [Segment], tolerance: Deadline) -> ElementPlan {
        var plan = ElementPlan()
        var (i, j) = (0, 0)
        while i < actual.count || j < desired.count {
            if j == desired.count || (i < actual.count && actual[i].span < desired[j].span) {
                plan.remove.append(actual[i].span)
                i += 1
            } else if i == actual.count || desired[j].span < actual[i].span {
                plan.add.append(desired[j])
                j += 1
            } else {
                if !isSame(actual[i].deadline, desired[j].deadline, tolerance) {
                    plan.remove.append(actual[i].span)
                    plan.add.append(desired[j])
                }
                i += 1
                j += 1
            }
        }
        return plan
    }

    /// From what a hash set holds to what it should hold. Elements that are over, or nearly, are left to the kernel.
    static func from(
        _ actual: [Segment], to desired: [UInt128: Deadline], now: Deadline, tolerance: Deadline
    ) -> ElementPlan {
        var plan = ElementPlan()
        var met: Set<UInt128> = []
        met.reserveCapacity(actual.count)
        for segment in actual {
            let deadline = desired[segment.span.first].flatMap { $0 > now ? $0 : nil }
            if let deadline, segment.span.isSingle {
                met.insert(segment.span.first)
                if isSame(segment.deadline, deadline, tolerance) { continue }
                plan.add.append(Segment(segment.span, until: deadline))
            } else if segment.deadline <= now + tolerance {
                continue
            }
            plan.remove.append(segment.span)
        }
        for (key, deadline) in desired where deadline > now && !met.contains(key) {
            plan.add.append(Segment(key, key, until: deadline))
        }
        return plan
    }

    private static func isSame(_ a: Deadline, _ b: Deadline, _ tolerance: Deadline) -> Bool {
        a == b || (a > b ? a - tolerance <= b : b - tolerance <= a)
    }
}
