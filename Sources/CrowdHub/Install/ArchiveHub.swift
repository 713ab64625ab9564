public import CrowdCore

/// A hub in a tar archive: of a checkout, or an offline bundle. Data files lie in its `data` folder as in a `FolderHub`.
public struct ArchiveHub: HubSource {
    private let path: String
    /// By their paths below the folder of the index.
    let files: [String: ArraySlice<UInt8>]
    private let online: (any HubSource)?

    public init(_ path: String, online: (any HubSource)? = nil) throws(HubError) {
        let bytes: [UInt8]
        do { bytes = try FileContents.read(path, limit: RemoteHub.maxDataBytes) } catch { throw HubError(error) }
        let all = try TarArchive(bytes, name: path).files
        let indexes = all.keys.filter { $0 == ".index.json" || $0.hasSuffix("/.index.json") }
        guard let index = indexes.min(by: { ($0.count, $0) < ($1.count, $1) }) else {
            throw .file("\(path): no .index.json in it")
        }
        let root = index.dropLast(".index.json".count)
        self.path = path
        self.online = online
        files = Dictionary(
            all.compactMap { name, bytes in name.hasPrefix(root) ? (String(name.dropFirst(root.count)), bytes) : nil }
        ) { first, _ in first }
    }

    public func index(withContent: Bool, known: String?) async throws(HubError) -> [UInt8]? {
        let bytes = try file(".index.json")
        return known == Hex.encode(Digest.sha256(bytes)) ? nil : Array(bytes)
    }

    public func item(_ path: String) async throws(HubError) -> [UInt8] { Array(try file(path)) }

    public func data(
        _ url: String, since: Timestamp?, to path: String, progress: @escaping DownloadProgress
    ) async throws(HubError) -> Bool {
        guard let relative = FolderHub.dataPath(url), let bytes = files[relative] else {
            guard let online else { throw .file("\(url) is not in \(self.path)") }
            return try await online.data(url, since: since, to: path, progress: progress)
        }
        try HubFiles.replace(path, with: Array(bytes))
        return true
    }

    private func file(_ name: String) throws(HubError) -> ArraySlice<UInt8> {
        guard let bytes = files[name] else { throw .file("\(path): no \(name) in it") }
        return bytes
    }
}
