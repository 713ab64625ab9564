/// The items of a hub and their state on this host, read once: index, downloaded files, installed links.
///
/// Loading reads and hashes what is downloaded and nothing else; it changes nothing.
public struct Hub: Sendable {
    public let paths: HubPaths
    public let index: HubIndex
    public internal(set) var items: [ItemType: [String: HubItem]] = [:]
    /// What an operator may want to know: outdated and tainted collections, links to nowhere.
    public internal(set) var warnings: [String] = []
    /// What is wrong with the index itself.
    public internal(set) var problems: [String] = []

    /// - Throws: `HubError` for an index that is missing or refused.
    public init(_ paths: HubPaths) throws(HubError) {
        try self.init(paths, index: try HubIndex.read(paths.indexPath))
    }

    public init(_ paths: HubPaths, index: HubIndex) throws(HubError) {
        self.paths = paths
        self.index = index
        problems = index.warnings
        for type in ItemType.allCases {
            items[type] = (index.entries[type] ?? [:]).mapValues { HubItem($0) }
        }
        scanDownloads()
        scanInstalled()
        try findVersions()
        try relate()
    }

    public subscript(_ id: ItemID) -> HubItem? { items[id.type]?[id.name] }

    /// Of one type, in alphabetical order whatever the case.
    public func items(_ type: ItemType, installedOnly: Bool = false) -> [HubItem] {
        (items[type] ?? [:]).values.filter { !installedOnly || $0.isInstalled }
            .sorted { ($0.id.name.lowercased(), $0.id.name) < ($1.id.name.lowercased(), $1.id.name) }
    }

    public var installed: [HubItem] { ItemType.allCases.flatMap { items($0, installedOnly: true) } }

    /// `Loaded: 3 parsers, 1 collections`, and what is not managed.
    public var statistics: [String] {
        let counts = ItemType.allCases.compactMap { type -> String? in
            let count = items[type]?.count ?? 0
            return count == 0 ? nil : "\(count) \(type.rawValue)"
        }
        var lines = ["Loaded: \(counts.isEmpty ? "0 items" : counts.joined(separator: ", "))"]
        let all = items.values.flatMap(\.values)
        let (local, tainted) = (all.count(where: \.isLocal), all.count(where: \.isTainted))
        if local > 0 || tainted > 0 { lines.append("Unmanaged items: \(local) local, \(tainted) tainted") }
        return lines
    }

    // MARK: dependencies

    /// Of the latest version, by the index.
    public func latestDependencies(of item: HubItem) -> [ItemID] { item.entry?.dependencies.all ?? [] }

    /// Of the version that is installed: an outdated or local collection is asked itself.
    public func currentDependencies(of item: HubItem) -> [ItemID] {
        guard item.id.type == .collections else { return [] }
        if item.isInstalled, !item.isFileUpToDate || item.isLocal,
            let path = item.installedPath, let own = ItemFile.dependencies(at: path)
        {
            return own.all
        }
        return latestDependencies(of: item)
    }

    /// The items that go with `item` when it is removed: those that no other installed collection needs.
    public func removableDependencies(of item: HubItem) -> [HubItem] {
        let leaving = descendants(of: item.id)
        return leaving.compactMap { self[$0] }.filter { sub in
            sub.isInstalled
                && sub.belongsToCollections.allSatisfy { name in
                    let parent = ItemID(.collections, name)
                    return parent == item.id || leaving.contains(parent) || self[parent]?.isInstalled != true
                }
        }
    }

    /// Everything below an item by its current dependencies, dependencies first.
    func descendants(of id: ItemID) -> [ItemID] {
        var found: [ItemID] = []
        var seen: Set<ItemID> = [id]
        func visit(_ id: ItemID) {
            guard let item = self[id] else { return }
            for sub in currentDependencies(of: item) where seen.insert(sub).inserted {
                visit(sub)
                found.append(sub)
            }
        }
        visit(id)
        return found
    }

    /// Names of installed collections that contain it.
    public func installedParents(of item: HubItem) -> [String] {
        item.belongsToCollections.filter { self[ItemID(.collections, $0)]?.isInstalled == true }
    }
}
