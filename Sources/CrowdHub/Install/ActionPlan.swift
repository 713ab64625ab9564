/// What is to be done, in the order in which it is: built item by item, each step once (engine facts H.4).
///
/// (1) Dependencies stand before what needs them, so that a plan that breaks off leaves nothing half connected.
/// (2) Building changes nothing; what cannot be done becomes a warning, and is left out.
public struct ActionPlan: Sendable {
    public enum Step: Hashable, Sendable {
        case download(ItemID)
        case enable(ItemID)
        case disable(ItemID)
        /// Remove the downloaded file.
        case purge(ItemID)
        /// Ask for newer data files of everything that is installed.
        case refreshData
    }

    public let hub: Hub
    public let force: Bool
    public private(set) var steps: [Step] = []
    public private(set) var warnings: [String] = []
    private var known: Set<Step> = []

    public init(_ hub: Hub, force: Bool) {
        self.hub = hub
        self.force = force
    }

    public var isEmpty: Bool { steps.isEmpty }

    // MARK: building

    public mutating func install(_ item: HubItem, downloadOnly: Bool = false) {
        download(item)
        if !downloadOnly { enable(item) }
    }

    public mutating func upgrade(_ item: HubItem) { download(item) }

    public mutating func refreshData() { add(.refreshData) }

    /// - Throws: for a tainted item, unless forced.
    public mutating func remove(_ item: HubItem, purge: Bool) throws(HubError) {
        guard !item.isLocal else { return warn("\(item.id) is a local item, please delete manually") }
        let going = hub.removableDependencies(of: item)
        for item in [item] + going where item.isInstalled && item.isTainted && !force {
            throw .refused("\(item.id.name) is tainted, use '--force' to remove")
        }
        for item in going + [item] where item.isInstalled && !item.isLocal { add(.disable(item.id)) }
        guard purge else { return }
        for item in going + [item] where item.isDownloaded && !item.isLocal { add(.purge(item.id)) }
    }

    private mutating func download(_ item: HubItem) {
        guard !item.isLocal else { return warn("\(item.id) - not downloading local item") }
        for id in hub.latestDependencies(of: item) {
            guard let sub = hub[id] else { continue }
            download(sub)
        }
        if item.isDownloaded && item.isFileUpToDate { return keepComplete(item) }
        guard force || !(item.isTainted && item.localVersion == "?") else {
            return warn("\(item.id) is tainted, use '--force' to overwrite")
        }
        keepComplete(item)
        add(.download(item.id))
    }

    /// An installed collection gets the items that are new in it, and gives those back that are no longer.
    private mutating func keepComplete(_ item: HubItem) {
        guard item.isInstalled else { return }
        let latest = hub.latestDependencies(of: item)
        for id in latest {
            if let sub = hub[id], !item.isFileUpToDate || force { enable(sub) }
        }
        guard !item.isFileUpToDate else { return }
        for id in hub.currentDependencies(of: item) where !latest.contains(id) {
            guard let sub = hub[id], sub.isInstalled, !sub.isLocal, force || !sub.isTainted,
                hub.installedParents(of: sub).allSatisfy({ $0 == item.id.name })
            else { continue }
            add(.disable(id))
        }
    }

    private mutating func enable(_ item: HubItem) {
        if item.isLocal { return }
        for id in hub.latestDependencies(of: item) {
            if let sub = hub[id] { enable(sub) }
        }
        guard !item.isInstalled else { return }
        add(.enable(item.id))
    }

    private mutating func add(_ step: Step) { if known.insert(step).inserted { steps.append(step) } }

    private mutating func warn(_ text: String) { if !warnings.contains(text) { warnings.append(text) } }
}
