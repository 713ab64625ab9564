import CrowdCore

/// Replacing the index by the source's, once it is known to be one.
public enum IndexUpdate {
    /// - Returns: false when the source's index is the one that is here.
    /// - Throws: and leaves the old index, when the source cannot be reached or what it gives is no index.
    public static func run(
        _ paths: HubPaths, source: any HubSource, withContent: Bool, willWrite: () -> Void = {}
    ) async throws(HubError) -> Bool {
        let known = (try? FileContents.read(paths.indexPath, limit: HubIndex.maxBytes)).map {
            Hex.encode(Digest.sha256($0))
        }
        guard let bytes = try await source.index(withContent: withContent, known: known) else { return false }
        _ = try HubIndex(bytes)
        willWrite()
        let lock = try lockHub(paths.hubDirectory)
        defer { withExtendedLifetime(lock) {} }
        try HubFiles.replace(paths.indexPath, with: bytes)
        return true
    }
}
