/// An item as it is on this host: what the index says of it, and what is downloaded and installed (engine facts H.3).
public struct HubItem: Sendable {
    public let id: ItemID
    /// nil for a local item, which the hub does not manage.
    public let entry: IndexEntry?
    public internal(set) var stage: String
    public internal(set) var fileName: String
    /// Its place below the configuration directory: a link to the downloaded file, or a local item's own file.
    public internal(set) var installedPath: String?
    public internal(set) var downloadedPath: String?
    /// SHA-256 of the file that is here.
    public internal(set) var localHash = ""
    /// The version whose digest the file has; `?` for none of them.
    public internal(set) var localVersion = ""
    public internal(set) var isUpToDate = false
    /// Changed by somebody, or a collection with an item that is changed or missing.
    public internal(set) var isTainted = false
    public internal(set) var taintedBy: [ItemID] = []
    /// Collections that contain it, directly or not, in alphabetical order.
    public internal(set) var belongsToCollections: [String] = []
    /// The file itself is the latest version, whatever the items of a collection are.
    var isFileUpToDate = false

    init(_ entry: IndexEntry) {
        id = entry.id
        self.entry = entry
        stage = entry.stage
        fileName = entry.fileName
    }

    init(local id: ItemID, stage: String, path: String) {
        self.id = id
        entry = nil
        self.stage = stage
        fileName = String(path.split(separator: "/").last ?? "")
        installedPath = path
        isUpToDate = true
        isFileUpToDate = true
    }

    public var isLocal: Bool { entry == nil }
    public var isInstalled: Bool { installedPath != nil }
    public var isDownloaded: Bool { downloadedPath != nil }
    public var version: String { entry?.version ?? "" }
    public var description: String { entry?.description ?? "" }

    public enum Status: String, CaseIterable, Sendable {
        case upToDate = "up-to-date"
        case outdated, tainted, local
        case notInstalled = "not-installed"
    }

    public var status: Status {
        if isLocal { return .local }
        if !isInstalled { return .notInstalled }
        if isTainted { return .tainted }
        return isUpToDate ? .upToDate : .outdated
    }

    /// The compound text of the JSON and CSV outputs: `enabled,update-available`.
    public var statusText: String {
        var text = isInstalled ? "enabled" : "disabled"
        if isLocal { text += ",local" }
        if isTainted {
            text += ",tainted"
        } else if !isUpToDate && !isLocal {
            text += ",update-available"
        }
        return text
    }

    public var emoji: String {
        if isLocal { return "🏠" }
        if !isInstalled { return "🚫" }
        return isTainted || !isUpToDate ? "⚠️" : "✔️"
    }
}
