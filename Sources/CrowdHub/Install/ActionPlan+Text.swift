/// The plan as people read it before they agree (surface facts A.10).
extension ActionPlan {
    /// - Parameter verbose: each step on its line, in the order of execution; else one line per action and type.
    public func text(verbose: Bool) -> String {
        guard verbose else { return compact }
        return steps.map { step in
            let type = step.item.map { " \($0.type.rawValue):" } ?? ""
            return "\(step.title)\(type)\(detail(step))\n"
        }.joined()
    }

    private var compact: String {
        var titles: [String] = []
        for step in steps where !titles.contains(step.title) { titles.append(step.title) }
        return titles.map { title in
            let group = steps.filter { $0.title == title }
            return title + "\n"
                + ItemType.allCases.map { type in
                    let details = group.filter { $0.item?.type == type }.map { detail($0) }.sorted()
                    return details.isEmpty ? "" : " \(type.rawValue): \(details.joined(separator: ", "))\n"
                }.joined()
        }.joined()
    }

    /// `crowdsecurity/sshd-logs (2.3 -> 2.9)`
    private func detail(_ step: Step) -> String {
        guard let id = step.item else { return "" }
        guard case .download = step, let item = hub[id] else { return id.name }
        return "\(id.name) (\(item.isDownloaded ? "\(item.localVersion) -> " : "")\(item.version))"
    }
}

extension ActionPlan.Step {
    var item: ItemID? {
        switch self {
        case .download(let id), .enable(let id), .disable(let id), .purge(let id): id
        case .refreshData: nil
        }
    }

    fileprivate var title: String {
        switch self {
        case .download: "📥 download"
        case .enable: "✅ enable"
        case .disable: "❌ disable"
        case .purge: "🗑 purge (delete source)"
        case .refreshData: "🔄 check & update data files"
        }
    }
}
