import CrowdCore
import Glibc

/// Brings data files up to date: those that are missing, and those that are old and have changed.
struct DataRefresh: Sendable {
    /// A file younger than this is not asked for again.
    static let freshFor = GoDuration.seconds(7 * 86_400)

    let directory: String
    let source: any HubSource
    let force: Bool
    let progress: DownloadProgress
    let report: @Sendable (String) -> Void

    init(
        directory: String, source: any HubSource, force: Bool, progress: @escaping DownloadProgress,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.directory = directory
        self.source = source
        self.force = force
        self.progress = progress
        self.report = report
    }

    /// - Returns: whether a file has changed.
    func refresh(_ items: [HubItem]) async throws(HubError) -> Bool {
        var files: [ItemData] = []
        for item in items {
            guard let path = item.installedPath, let text = try? FileContents.read(path),
                let data = try? ItemFile.data(in: text, file: path)
            else { continue }
            files += data
        }
        var done: Set<ItemData> = []
        var hasChanged = false
        for file in files where done.insert(file).inserted {
            if try await refresh(file) { hasChanged = true }
        }
        return hasChanged
    }

    /// The data files that an item's text names.
    func refresh(_ text: [UInt8], of id: ItemID, file: String) async throws(HubError) {
        let files: [ItemData]
        do { files = try ItemFile.data(in: text, file: file) } catch { throw .badItem(id, error.description) }
        for file in files { _ = try await refresh(file) }
    }

    private func refresh(_ file: ItemData) async throws(HubError) -> Bool {
        let path = directory + "/" + file.destination
        let known = Self.modified(path)
        if let known, !force, Timestamp.now() - known < Self.freshFor { return false }
        do { try FileContents.makeDirectory(FileContents.directory(of: path)) } catch { throw HubError(error) }
        let temporary = path + ".download"
        report(file.sourceURL)
        guard try await source.data(file.sourceURL, since: force ? nil : known, to: temporary, progress: progress)
        else {
            utimensat(AT_FDCWD, path, nil, 0)
            return false
        }
        if known != nil, Self.digest(path) == Self.digest(temporary) {
            unlink(temporary)
            utimensat(AT_FDCWD, path, nil, 0)
            return false
        }
        do { try FileContents.rename(temporary, to: path) } catch { throw HubError(error) }
        return true
    }

    private static func modified(_ path: String) -> Timestamp? {
        var info = stat()
        guard stat(path, &info) == 0 else { return nil }
        return Timestamp(seconds: Int64(info.st_mtim.tv_sec), nanosecond: Int64(info.st_mtim.tv_nsec))
    }

    private static func digest(_ path: String) -> [UInt8]? {
        (try? FileContents.read(path, limit: 512 << 20)).map { Digest.sha256($0) }
    }
}
