public import CrowdCore
import Glibc

/// A hub in a folder: a git checkout, an unpacked archive, a mounted medium. Its branch is whatever is checked out.
///
/// Data files come from its `data` folder, where `https://HOST/PATH` is `data/HOST/PATH`; where they are not, from the
/// network if `online` says so.
public struct FolderHub: HubSource {
    private let root: String
    private let online: (any HubSource)?

    public init(_ root: String, online: (any HubSource)? = nil) {
        self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        self.online = online
    }

    public func index(withContent: Bool, known: String?) async throws(HubError) -> [UInt8]? {
        let bytes = try read(".index.json", limit: HubIndex.maxBytes)
        return known == Hex.encode(Digest.sha256(bytes)) ? nil : bytes
    }

    public func item(_ path: String) async throws(HubError) -> [UInt8] {
        guard FilePath.isInside(path) else { throw .refused("'\(path)' is not inside the hub") }
        return try read(path, limit: RemoteHub.maxItemBytes)
    }

    public func data(
        _ url: String, since: Timestamp?, to path: String, progress: @escaping DownloadProgress
    ) async throws(HubError) -> Bool {
        guard let relative = Self.dataPath(url), FileContents.exists("\(root)/\(relative)") else {
            guard let online else {
                throw .file("\(url) is not in \(root)/\(Self.dataPath(url) ?? "data")")
            }
            return try await online.data(url, since: since, to: path, progress: progress)
        }
        let bytes = try read(relative, limit: RemoteHub.maxDataBytes)
        try HubFiles.replace(path, with: bytes)
        return true
    }

    /// Where a data file lies below a hub's root; nil for an address that is no plain web address.
    static func dataPath(_ url: String) -> String? {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else { return nil }
        let path = url.dropFirst(scheme.count).prefix { $0 != "?" && $0 != "#" }
        return FilePath.isInside(String(path)) ? "data/\(path)" : nil
    }

    private func read(_ path: String, limit: Int) throws(HubError) -> [UInt8] {
        do { return try FileContents.read("\(root)/\(path)", limit: limit) } catch { throw HubError(error) }
    }
}

/// `hub_source`: a folder, or an archive that holds one.
public enum HubPlace {
    public static func open(_ path: String, online: (any HubSource)? = nil) throws(HubError) -> any HubSource {
        guard FileContents.exists(path) else { throw .file("hub_source \(path): no such file or directory") }
        if FileContents.isDirectory(path) { return FolderHub(path, online: online) }
        return try ArchiveHub(path, online: online)
    }
}
