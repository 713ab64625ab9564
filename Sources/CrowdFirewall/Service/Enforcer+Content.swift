/// What each kernel set should hold.
extension Enforcer {
    /// A layout's sets with their content.
    func contents(_ layout: TableLayout, now: Deadline) -> [(set: KernelSet, content: SetContent)] {
        guard !layout.isSetOnly else { return [(layout.single, single(layout, now: now))] }
        let protected = (layout.protected, SetContent.cover(split(allowed.cover(layout.family, now: now), layout)))
        return [protected]
            + layout.origins.flatMap { name -> [(KernelSet, SetContent)] in
                let id = SetID(family: layout.family, origin: origins.number(name: name))
                return [
                    (layout.hosts(name), .hosts(desired.sets[id]?.hosts ?? [:])),
                    (layout.ranges(name), .cover(split(cover(id, now: now), layout))),
                ]
            }
    }

    /// The ranges of a set of bans, what is over perhaps included. That of many is kept until they change.
    private func cover(_ id: SetID, now: Deadline) -> [Segment] {
        if let kept = covers[id] { return kept.segments }
        guard let ranges = desired.sets[id]?.ranges, !ranges.isEmpty else { return [] }
        let made = RangeCover.segments(ranges, now: now)
        if made.count > Self.largeCover { covers[id] = (made, revision) }
        return made
    }

    /// ipset holds prefixes, not any stretch of addresses.
    private func split(_ segments: [Segment], _ layout: TableLayout) -> [Segment] {
        guard layout.naming == .ipset else { return segments }
        return segments.flatMap { segment in
            segment.span.prefixes(layout.family).map { Segment($0, until: segment.deadline) }
        }
    }

    /// The bans of all origins in one set; what is allowlisted is left out, since the rules are not ours.
    ///
    /// - Parameter place: only what meets it.
    private func single(_ layout: TableLayout, now: Deadline, around place: Neighbourhood? = nil) -> SetContent {
        let sets = desired.sets.filter { $0.key.family == layout.family }.values
        let free = allowed.cover(layout.family, now: now)
        guard layout.singleKind != .hash else {
            var hosts: [UInt128: Deadline] = [:]
            for bans in sets { hosts.merge(bans.hosts) { max($0, $1) } }
            return .hosts(free.isEmpty ? hosts : hosts.filter { !RangeCover.contains(free, $0.key) })
        }
        var spans: [AddressSpan: Deadline] = [:]
        for bans in sets {
            spans.merge(bans.ranges.lazy.filter { place?.meets($0.key) ?? true }.map { ($0.key, $0.value) }) {
                max($0, $1)
            }
            for (key, deadline) in bans.hosts {
                let span = AddressSpan(first: key, last: key)
                guard place?.meets(span) ?? true else { continue }
                spans[span] = max(deadline, spans[span] ?? deadline)
            }
        }
        return .cover(split(RangeCover.subtracting(free, from: RangeCover.segments(spans, now: now)), layout))
    }

    /// Where a change of some bans changes the one set of a layout.
    private func place(_ touched: [Ban], _ layout: TableLayout) -> Neighbourhood {
        let sets = desired.sets.filter { $0.key.family == layout.family }.values
        return RangeCover.around(touched.map(\.span)) { place in
            sets.flatMap { bans in
                bans.ranges.keys.filter(place.meets)
                    + bans.hosts.keys.lazy.map { AddressSpan(first: $0, last: $0) }.filter(place.meets)
            }
        }
    }

    /// What a change of the desired state, made by `change`, asks of the one set of a layout.
    func planForSingle(_ layout: TableLayout, touched: [Ban], _ change: () -> Void) -> ElementPlan {
        let now = MonotonicClock.now()
        let place = layout.singleKind == .hash ? nil : place(touched, layout)
        let before = single(layout, now: now, around: place)
        change()
        switch (before, single(layout, now: now, around: place)) {
        case (.cover(let old), .cover(let new)): return .from(old, to: new, .exact)
        case (.hosts(let old), .hosts(let new)):
            var plan = ElementPlan()
            for key in Set(touched.filter(\.span.isSingle).map(\.span.first)) {
                let (was, will) = (old[key].flatMap { $0 > now ? $0 : nil }, new[key])
                guard was != will else { continue }
                if was != nil { plan.remove.append(AddressSpan(first: key, last: key)) }
                if let will { plan.add.append(Segment(key, key, until: will)) }
            }
            return plan
        default: return ElementPlan()
        }
    }

    /// Ranges that a set made for single addresses cannot hold.
    func unholdable(_ layout: TableLayout) -> Int {
        guard layout.isSetOnly, layout.singleKind == .hash else { return 0 }
        return desired.sets.reduce(0) { $0 + ($1.key.family == layout.family ? $1.value.ranges.count : 0) }
    }
}
