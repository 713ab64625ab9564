/// What has to change in one kernel set: removals come first, in the same transaction, so that a renewed element gets
/// its new timeout and a changed range does not collide with its old self.
struct ElementPlan: Equatable, Sendable {
    var remove: [AddressSpan] = []
    var add: [Segment] = []
    /// How many of the removals are of elements that would be over soon by themselves: no drift.
    var overdue = 0

    var isEmpty: Bool { remove.isEmpty && add.isEmpty }
    var count: Int { remove.count + add.count }

    /// The kernel's own timer takes a moment.
    private static let nearlyOver: Deadline = 100

    /// From one cover to another, both sorted and free of overlap.
    ///
    static func from(_ actual: [Segment], to desired: [Segment], _ closeness: Closeness) -> ElementPlan {
        var plan = ElementPlan()
        var (i, j) = (0, 0)
        while i < actual.count || j < desired.count {
            if j == desired.count || (i < actual.count && actual[i].span < desired[j].span) {
                plan.remove.append(actual[i].span)
                if actual[i].deadline <= closeness.soon { plan.overdue += 1 }
                i += 1
            } else if i == actual.count || desired[j].span < actual[i].span {
                plan.add.append(desired[j])
                j += 1
            } else {
                if !closeness.isSame(actual[i].deadline, desired[j].deadline) {
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
        _ actual: [Segment], to desired: [UInt128: Deadline], now: Deadline, _ closeness: Closeness
    ) -> ElementPlan {
        var plan = ElementPlan()
        var met: Set<UInt128> = []
        met.reserveCapacity(actual.count)
        for segment in actual {
            let deadline = desired[segment.span.first].flatMap { $0 > now ? $0 : nil }
            if let deadline, segment.span.isSingle {
                met.insert(segment.span.first)
                if closeness.isSame(segment.deadline, deadline) { continue }
                plan.add.append(Segment(segment.span, until: deadline))
            } else if segment.deadline <= now + nearlyOver {
                continue
            } else if segment.deadline <= closeness.soon {
                plan.overdue += 1
            }
            plan.remove.append(segment.span)
        }
        for (key, deadline) in desired where deadline > now && !met.contains(key) {
            plan.add.append(Segment(key, key, until: deadline))
        }
        return plan
    }
}

/// When two deadlines count as the same.
struct Closeness: Equatable, Sendable {
    static let exact = Closeness(tolerance: 0)

    /// The Local API rounds to seconds, and a dump takes its time.
    var tolerance: Deadline
    /// Where the kernel's timeouts have a limit: what both end later than.
    var horizon = Deadline.max
    /// What ends before this is about to go.
    var soon = Deadline.min

    func isSame(_ a: Deadline, _ b: Deadline) -> Bool {
        a == b || (a > b ? a - tolerance <= b : b - tolerance <= a) || min(a, b) > horizon
    }
}

extension ElementPlan {
    /// Cut into pieces of about `first` and then `then` elements at most. What overlaps stays in one piece: an element's
    /// removal and addition, and intervals of which boundaries move over others.
    func pieces(first: Int, then: Int) -> [ElementPlan] {
        guard count > first else { return [self] }
        let removals = remove.sorted()
        let additions = add.sorted { $0.span < $1.span }
        var (pieces, piece, limit) = ([ElementPlan](), ElementPlan(), max(1, first))
        var (i, j) = (0, 0)
        var reached: UInt128 = 0
        while i < removals.count || j < additions.count {
            let removal = i < removals.count ? removals[i] : nil
            let addition = j < additions.count ? additions[j] : nil
            let takesRemoval = addition.map { added in removal.map { $0.first <= added.span.first } ?? false } ?? true
            let next = takesRemoval ? removal : addition?.span
            guard let next else { break }
            if piece.count >= limit && next.first > reached {
                pieces.append(piece)
                (piece, limit) = (ElementPlan(), then)
            }
            reached = max(reached, next.last)
            if takesRemoval {
                piece.remove.append(next)
                i += 1
            } else if let addition {
                piece.add.append(addition)
                j += 1
            }
        }
        return piece.isEmpty ? pieces : pieces + [piece]
    }
}
