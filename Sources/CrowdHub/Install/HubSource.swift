public import CrowdCore

/// Where a hub's files come from: the public hub, a mirror, a folder, an archive.
///
/// What a source gives is checked against the index's digests by whoever asks; a source is not trusted.
public protocol HubSource: Sendable {
    /// The index; nil if it is the one whose SHA-256 is given, in hexadecimal.
    func index(withContent: Bool, known: String?) async throws(HubError) -> [UInt8]?

    /// An item's file.
    func item(_ path: String) async throws(HubError) -> [UInt8]

    /// A data file, written to a fresh file at `path`.
    ///
    /// - Parameter since: answer false, and write nothing, if the file has not changed since then.
    func data(
        _ url: String, since: Timestamp?, to path: String, progress: @escaping DownloadProgress
    ) async throws(HubError) -> Bool
}

/// Told the number of bytes so far, from any thread.
public typealias DownloadProgress = @Sendable (Int) -> Void
