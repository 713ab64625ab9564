public import CrowdCore
import Synchronization

/// A place in a log file before which all lines are accounted for.
///
/// The file is known by device and inode, and by its first bytes: an inode may be used again, and a rotated file may
/// be a copy.
public struct FilePosition: Sendable, Equatable {
    /// The name under which it is followed.
    public var path: String
    public var device: UInt64
    public var inode: UInt64
    /// In bytes, behind a line's end.
    public var offset: Int64
    /// How many of its first bytes were summed, and their CRC-32.
    public var headLength: Int
    public var headSum: UInt32

    public init(path: String, device: UInt64, inode: UInt64, offset: Int64, headLength: Int, headSum: UInt32) {
        self.path = path
        self.device = device
        self.inode = inode
        self.offset = offset
        self.headLength = headLength
        self.headSum = headSum
    }
}

/// Where followed files were left, for a reload or a restart to go on there. Shared by the sources of one agent.
public final class FilePositions: Sendable {
    private static let mostPlaces = 1_024
    private struct State {
        var byPath: [String: FilePosition] = [:]
        /// Files that were read under some name: a rotated one must not be taken for a new one.
        var places: [KnownPlace] = []
    }
    private let state = Mutex(State())
    public init() {}

    public func save(_ position: FilePosition) { state.withLock { $0.byPath[position.path] = position } }
    func find(_ path: String) -> FilePosition? { state.withLock { $0.byPath[path] } }

    /// It is one of the files whose places were saved, or begins as one of them did: renamed, or copied.
    func knows(_ file: LogFile) -> Bool {
        state.withLock { $0.byPath.values }.contains { position in
            file.isSame(as: position) || (position.headLength > 0 && file.begins(like: position))
        }
    }

    func remember(_ place: KnownPlace?) {
        guard let place else { return }
        state.withLock { state in
            // The same contents, read further; an emptied file has others under the same inode.
            state.places.removeAll {
                $0.device == place.device && $0.inode == place.inode && !$0.head.isEmpty && $0.head == place.head
                    && $0.offset <= place.offset
            }
            state.places.append(place)
            if state.places.count > FilePositions.mostPlaces { state.places.removeFirst() }
        }
    }

    /// How far this file, or the one it is a copy of, was read under another name; nil when it is new.
    ///
    /// - Parameter size: what the file had when it was looked at.
    func knownOffset(of file: LogFile, size: Int64) -> Int64? {
        let start = file.bytes(at: 0, count: LogFile.headLength)
        return state.withLock { $0.places }.compactMap { $0.offset(in: file, start: start, size: size) }.max()
    }
}

/// Where sources that are not files go on: the journal's cursor, a container's last time stamp. By source name.
public final class SourceCursors: Sendable {
    private struct State {
        var byName: [String: String] = [:]
        var watchedUntil: Timestamp?
    }
    private let state = Mutex(State())
    public init() {}

    public func save(_ cursor: String, of source: String) { state.withLock { $0.byName[source] = cursor } }
    public func find(_ source: String) -> String? { state.withLock { $0.byName[source] } }
    func forget(_ source: String) { state.withLock { $0.byName[source] = nil } }

    func all(beginning prefix: String) -> [(name: String, cursor: String)] {
        state.withLock { state in
            state.byName.filter { $0.key.hasPrefix(prefix) }.map { (name: $0.key, cursor: $0.value) }
        }
    }

    /// Until then somebody saw what there is to be read, and has told of it; nil when nobody ever did. What came into being
    /// later is new from its first byte on.
    var watchedUntil: Timestamp? { state.withLock { $0.watchedUntil } }

    public func watched(until time: Timestamp) { state.withLock { $0.watchedUntil = time } }
}
