import CrowdCore
import Glibc

/// Carries out a plan.
///
/// (1) Every item's bytes are fetched and checked against the index before the first file changes: a hub that cannot
///     be reached, or serves something else, changes nothing.
/// (2) Items that are downloaded one after the other are written beside their places, synced, and then renamed all at
///     once; a link is made when its target is there. A run that breaks off leaves items that are each complete.
/// (3) An item's data files are there before the item is.
public struct PlanRun: Sendable {
    /// What is being done, as it begins.
    public enum Event: Sendable {
        case downloading(ItemID)
        case enabling(ItemID)
        case disabling(ItemID)
        case purging(ItemID)
        case downloadingData(url: String)
    }

    let plan: ActionPlan
    let source: any HubSource
    private var data: DataRefresh
    /// Something has changed that a running agent should know.
    public private(set) var needsReload = false
    private let report: @Sendable (Event) -> Void
    private var staged = StagedFiles()

    public init(
        _ plan: ActionPlan, source: any HubSource, progress: @escaping DownloadProgress = { _ in },
        report: @escaping @Sendable (Event) -> Void = { _ in }
    ) {
        self.plan = plan
        self.source = source
        self.report = report
        data = DataRefresh(
            directory: plan.hub.paths.dataDirectory, source: source, force: plan.force, progress: progress
        ) { report(.downloadingData(url: $0)) }
    }

    /// - Throws: at the first step that fails; `needsReload` tells whether there were others before.
    public mutating func run() async throws(HubError) {
        let lock = try lockHub(plan.hub.paths.hubDirectory)
        defer { withExtendedLifetime(lock) {} }
        let contents = try await fetch()
        defer { staged.discard() }
        for step in plan.steps {
            if case .download = step {} else { try commit() }
            try await carryOut(step, contents)
        }
        try commit()
    }

    private mutating func commit() throws(HubError) {
        guard !staged.isEmpty else { return }
        try staged.commit()
        needsReload = true
    }

    private mutating func carryOut(_ step: ActionPlan.Step, _ contents: [ItemID: [UInt8]]) async throws(HubError) {
        switch step {
        case .download(let id): try await write(id, contents[id] ?? [])
        case .enable(let id): try enable(id)
        case .disable(let id): try disable(id)
        case .purge(let id): try purge(id)
        case .refreshData: if try await data.refresh(plan.hub.installed) { needsReload = true }
        }
    }

    // MARK: steps

    private mutating func write(_ id: ItemID, _ bytes: [UInt8]) async throws(HubError) {
        guard let entry = plan.hub[id]?.entry else { return }
        report(.downloading(id))
        try await data.refresh(bytes, of: id, file: entry.path)
        let path = plan.hub.paths.download(entry)
        try staged.add(path, bytes)
    }

    private mutating func enable(_ id: ItemID) throws(HubError) {
        guard let entry = plan.hub[id]?.entry else { return }
        report(.enabling(id))
        try HubFiles.link(plan.hub.paths.link(entry), to: plan.hub.paths.download(entry))
        needsReload = true
    }

    private mutating func disable(_ id: ItemID) throws(HubError) {
        guard let path = plan.hub[id]?.installedPath else { return }
        report(.disabling(id))
        guard Hub.link(path) != nil else {
            throw .file("can't uninstall \(id.name): \(path) isn't a symlink")
        }
        guard unlink(path) == 0 || errno == ENOENT else { throw .file("remove \(path): \(systemMessage(errno))") }
        needsReload = true
    }

    private mutating func purge(_ id: ItemID) throws(HubError) {
        guard let path = plan.hub[id]?.downloadedPath else { return }
        report(.purging(id))
        guard unlink(path) == 0 || errno == ENOENT else { throw .file("remove \(path): \(systemMessage(errno))") }
    }

    // MARK: contents

    private static let concurrency = 8

    /// The bytes of every item to be downloaded, each as the index promises it.
    private func fetch() async throws(HubError) -> [ItemID: [UInt8]] {
        var entries = plan.steps.compactMap { step -> IndexEntry? in
            guard case .download(let id) = step else { return nil }
            return plan.hub[id]?.entry
        }[...]
        let result = await withTaskGroup { group -> Result<[ItemID: [UInt8]], HubError> in
            var contents: [ItemID: [UInt8]] = [:]
            let source = source
            for entry in entries.prefix(Self.concurrency) {
                group.addTask { (entry.id, await Self.content(of: entry, source)) }
            }
            entries = entries.dropFirst(Self.concurrency)
            while let (id, content) = await group.next() {
                switch content {
                case .success(let bytes): contents[id] = bytes
                case .failure(let error):
                    group.cancelAll()
                    return .failure(error)
                }
                if let entry = entries.popFirst() {
                    group.addTask { (entry.id, await Self.content(of: entry, source)) }
                }
            }
            return .success(contents)
        }
        return try result.get()
    }

    private static func content(of entry: IndexEntry, _ source: any HubSource) async -> Result<[UInt8], HubError> {
        do throws(HubError) {
            return .success(try await checkedContent(of: entry, source))
        } catch {
            return .failure(error)
        }
    }

    /// An item's latest text, checked.
    public static func latest(_ entry: IndexEntry, from source: any HubSource) async throws(HubError) -> [UInt8] {
        try await checkedContent(of: entry, source)
    }

    private static func checkedContent(of entry: IndexEntry, _ source: any HubSource) async throws(HubError) -> [UInt8]
    {
        guard let digest = entry.latestDigest else { throw .noDigest(entry.id) }
        if let text = entry.content {
            for candidate in [Base64.decode(text), Array(text.utf8)] {
                if let candidate, Hex.encode(Digest.sha256(candidate)) == digest { return candidate }
            }
        }
        let bytes = try await source.item(entry.path)
        let got = Hex.encode(Digest.sha256(bytes))
        guard got == digest else { throw .wrongDigest(entry.id, expected: digest, got: got) }
        return bytes
    }
}
