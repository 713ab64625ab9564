import CrowdCore
import Glibc

/// Files written beside their places, which take them together.
///
/// (1) Until `commit` nothing that was there has changed; `discard` leaves no trace.
/// (2) `commit` renames only what is on the disk already. One sync of a folder serves all its files.
struct StagedFiles {
    private var files: [(temporary: String, path: String)] = []

    var isEmpty: Bool { files.isEmpty }

    mutating func add(_ path: String, _ bytes: [UInt8]) throws(HubError) {
        let temporary = path + ".new"
        do throws(ConfigError) {
            try FileContents.makeDirectory(FileContents.directory(of: path))
            files.append((temporary, path))
            try FileContents.write(bytes, to: temporary)
        } catch {
            throw HubError(error)
        }
    }

    mutating func commit() throws(HubError) {
        do throws(ConfigError) {
            for file in files { try FileContents.sync(file.temporary) }
            while let file = files.first {
                try FileContents.rename(file.temporary, to: file.path, syncsFolder: false)
                folders.insert(FileContents.directory(of: file.path))
                files.removeFirst()
            }
            for folder in folders { try FileContents.sync(folder) }
            folders = []
        } catch {
            throw HubError(error)
        }
    }

    /// Where something was renamed and is not yet synced.
    private var folders: Set<String> = []

    mutating func discard() {
        for file in files { unlink(file.temporary) }
        files = []
    }
}
