/// A plan in the words of the `nft` tool, for people: `mode: dry-run` prints it. What is done goes over netlink.
enum NftText {
    private static let elementsPerLine = 500

    static func place(_ family: Family, _ table: String) -> String { "\(family == .v4 ? "ip" : "ip6") \(table)" }

    /// Table, counters, sets, chains and rules.
    static func commands(_ layout: TableLayout) -> [String] {
        let place = place(layout.family, layout.table)
        guard !layout.isSetOnly else { return [create(layout.single)] }
        var lines = ["add table \(place)"]
        lines += layout.counters.map { "add counter \(place) \($0)" }
        lines += layout.sets.map(create)
        for chain in layout.chains {
            let hook = FirewallConfig.Hook.allCases.first { $0.number == chain.hook }?.rawValue ?? "\(chain.hook)"
            lines.append(
                "add chain \(place) \(chain.name) "
                    + "{ type filter hook \(hook) priority \(chain.priority); policy accept; }")
            lines += layout.rules.map { "add rule \(place) \(chain.name) \(rule($0, layout.family))" }
        }
        return lines
    }

    /// What an origin adds to that.
    static func commands(_ layout: TableLayout, _ origin: String) -> [String] {
        let place = place(layout.family, layout.table)
        let sets = [layout.hosts(origin), layout.ranges(origin)].map(create)
        return sets + ["add counter \(place) \(layout.hosts(origin).name)"]
            + layout.chains.flatMap { chain in
                layout.rules(origin).map { "add rule \(place) \(chain.name) \(rule($0, layout.family))" }
            }
    }

    /// Elements, some hundred per line.
    static func commands(_ change: KernelChange, now: Deadline) -> [String] {
        var lines: [String] = []
        for fill in change.fills {
            if fill.flushes { lines.append("flush set \(name(fill.set))") }
            let segments = fill.content.segments.sorted { $0.span < $1.span }
            lines += elements("add", fill.set, segments.map { element($0, fill.set.family, now) })
        }
        for (set, plan) in change.plans {
            lines += elements("delete", set, plan.remove.sorted().map { $0.text(set.family) })
            let added = plan.add.sorted { $0.span < $1.span }
            lines += elements("add", set, added.map { element($0, set.family, now) })
        }
        return lines
    }

    private static func element(_ segment: Segment, _ family: Family, _ now: Deadline) -> String {
        "\(segment.span.text(family)) timeout \(max(1, (segment.deadline - now) / 1000))s"
    }

    private static func elements(_ verb: String, _ set: KernelSet, _ texts: [String]) -> [String] {
        stride(from: 0, to: texts.count, by: elementsPerLine).map { begin in
            let part = texts[begin..<min(begin + elementsPerLine, texts.count)].joined(separator: ", ")
            return "\(verb) element \(name(set)) { \(part) }"
        }
    }

    private static func name(_ set: KernelSet) -> String { "\(place(set.family, set.table)) \(set.name)" }

    private static func create(_ set: KernelSet) -> String {
        let flags = set.isInterval ? "interval, timeout" : "timeout"
        return "add set \(name(set)) { type \(set.family == .v4 ? "ipv4_addr" : "ipv6_addr"); flags \(flags); }"
    }

    private static func rule(_ rule: RuleLayout, _ family: Family) -> String {
        let ip = family == .v4 ? "ip" : "ip6"
        return rule.expressions.compactMap { expression in
            switch expression {
            case .isTCP: "meta l4proto tcp"
            case .loadSource: nil
            case .inSet(let name): "\(ip) saddr @\(name)"
            case .count(let name): "counter name \"\(name)\""
            case .log(let prefix): "log prefix \"\(prefix)\""
            case .accept: "accept"
            case .drop: "drop"
            case .reject: family == .v4 ? "reject with icmp port-unreachable" : "reject with icmpv6 addr-unreachable"
            case .resetTCP: "reject with tcp reset"
            }
        }.joined(separator: " ")
    }
}
