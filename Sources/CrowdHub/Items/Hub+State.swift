import CrowdCore

/// Versions of what is here, and what collections make of their items.
extension Hub {
    /// Compares every file that is here with the digests of all versions, the highest first.
    mutating func findVersions() throws(HubError) {
        for type in ItemType.allCases {
            for (name, item) in items[type] ?? [:] where !item.isLocal && (item.isDownloaded || item.isInstalled) {
                let judged = try versioned(item)
                items[type]?[name] = judged
            }
        }
    }

    private func versioned(_ item: HubItem) throws(HubError) -> HubItem {
        var item = item
        guard let entry = item.entry, let path = item.downloadedPath ?? item.installedPath else { return item }
        guard let bytes = try? FileContents.read(path) else { return item }
        item.localHash = Hex.encode(Digest.sha256(bytes))
        item.localVersion = try version(of: item.localHash, in: entry) ?? "?"
        item.isFileUpToDate = item.localVersion == entry.version
        item.isUpToDate = item.isFileUpToDate
        item.isTainted = item.isInstalled && item.localVersion == "?"
        return item
    }

    private func version(of digest: String, in entry: IndexEntry) throws(HubError) -> String? {
        var versions: [ItemVersion] = []
        for text in entry.digests.keys {
            guard let version = ItemVersion(text) else { throw .invalidVersion(entry.id, text) }
            versions.append(version)
        }
        return versions.sorted(by: >).first { entry.digests[$0.text] == digest }?.text
    }

    /// Collections: who belongs to whom, and which are tainted or outdated by their items.
    mutating func relate() throws(HubError) {
        var closure: [String: Set<ItemID>] = [:]
        for name in (items[.collections] ?? [:]).keys.sorted() {
            var path: [String] = []
            for sub in try members(of: name, &closure, &path) {
                items[sub.type]?[sub.name]?.belongsToCollections.append(name)
            }
        }
        var judged: Set<String> = []
        for item in items(.collections, installedOnly: true) { judge(item.id.name, &judged) }
    }

    /// Everything in a collection. `path` is the way from the first one asked for.
    private mutating func members(
        of name: String, _ known: inout [String: Set<ItemID>], _ path: inout [String]
    ) throws(HubError) -> Set<ItemID> {
        if let members = known[name] { return members }
        let id = ItemID(.collections, name)
        guard !path.contains(name) else { throw .circularDependency(id) }
        path.append(name)
        defer { path.removeLast() }
        var members: Set<ItemID> = []
        for sub in self[id].map({ latestOrOwn($0) }) ?? [] {
            guard self[sub] != nil else {
                problems.append("can't find \(sub.name) in \(sub.type.rawValue), required by \(name)")
                continue
            }
            members.insert(sub)
            if sub.type == .collections { members.formUnion(try self.members(of: sub.name, &known, &path)) }
        }
        known[name] = members
        return members
    }

    private func latestOrOwn(_ item: HubItem) -> [ItemID] {
        item.isLocal ? currentDependencies(of: item) : latestDependencies(of: item)
    }

    /// Recursion ends because `relate` has refused circles before.
    private mutating func judge(_ name: String, _ judged: inout Set<String>) {
        guard judged.insert(name).inserted, let item = self[ItemID(.collections, name)], item.isInstalled,
            item.isFileUpToDate, !item.isTainted, !item.isLocal
        else { return }
        for id in currentDependencies(of: item) {
            if id.type == .collections { judge(id.name, &judged) }
            guard let sub = self[id] else { continue }
            if sub.isTainted || !sub.isInstalled {
                items[.collections]?[name]?.isTainted = true
                items[.collections]?[name]?.taintedBy.append(id)
                warnings.append("\(name) is tainted by \(sub.isInstalled ? "" : "missing ")\(id)")
            } else if !sub.isUpToDate {
                items[.collections]?[name]?.isUpToDate = false
            }
        }
    }
}
