internal import CrowdCore
import CrowdEngine
import CrowdText
import Glibc
import Logging
import Synchronization

/// Where followed files were left, so that a reload goes on there. Shared by the sources of one agent.
public final class FilePositions: Sendable {
    struct Position: Sendable {
        var device: UInt64
        var inode: UInt64
        var offset: Int64
    }
    private let positions = Mutex<[String: Position]>([:])
    public init() {}

    func save(_ position: Position, of path: String) { positions.withLock { $0[path] = position } }
    func find(_ path: String) -> Position? { positions.withLock { $0[path] } }
}

/// Follows or reads log files: one thread for all files of one acquisition entry.
///
/// Rotation is that of `tail -F`: a renamed file is read to its end, then the name is opened anew from its start; a
/// file shorter than what was read starts over. A file that appears later is read from its start, since all of it is
/// new; one that is there at the start is followed from its end.
final class FileSource: DataSource {
    private let config: FileSourceConfig
    private let context: AcquisitionContext
    private let exclusions: [GoPattern]
    private let begun = Atomic(false)

    init(_ config: FileSourceConfig, _ context: AcquisitionContext) {
        self.config = config
        self.context = context
        exclusions = config.exclusions.compactMap { text in
            do {
                return try GoPattern(text)
            } catch {
                context.log.error("exclude_regexps: \(error)")
                return nil
            }
        }
    }

    var name: String { "file:" + config.patterns.joined(separator: ",") }
    var isFinite: Bool { config.mode == .cat }
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    func run(into queue: LineQueue, until stop: StopFlag) throws {
        defer { begun.store(true, ordering: .releasing) }
        switch config.mode {
        case .cat: try readOnce(into: queue, until: stop)
        case .tail: follow(into: queue, until: stop)
        }
    }

    // MARK: once

    private func readOnce(into queue: LineQueue, until stop: StopFlag) throws {
        for pattern in config.patterns {
            let paths = matching(pattern)
            if paths.isEmpty {
                if config.demandsFiles { throw ConfigError("no matching files for pattern \(pattern)") }
                context.log.warning("No matching files for pattern \(pattern)")
            }
            for path in paths {
                context.log.info("reading \(path) at once")
                let file = FollowedFile(path, origin: origin(path), config: config, context: context)
                guard file.open(at: .start) else { continue }
                defer { file.close() }
                while !stop.isSet, file.read(into: queue) > 0 {}
                file.flush(into: queue)
            }
        }
    }

    private func origin(_ path: String) -> LineOrigin {
        LineOrigin(source: path, module: "file", labels: config.labels, isReplay: config.isReplay)
    }

    /// Files of a pattern, without the excluded ones.
    private func matching(_ pattern: String) -> [String] {
        FilePattern.matches(pattern).filter { path in
            var path = path
            return path.withUTF8 { bytes in !exclusions.contains { $0.matches(ByteSlice(bytes)) } }
        }
    }

    // MARK: following

    private func follow(into queue: LineQueue, until stop: StopFlag) {
        let watcher = config.pollsOnly ? nil : FileWatcher(config.patterns, log: context.log)
        var files: [String: FollowedFile] = [:]
        discover(&files, isFirst: true)
        begun.store(true, ordering: .releasing)
        for pattern in config.patterns where matching(pattern).isEmpty {
            context.log.warning("No matching files for pattern \(pattern)")
        }
        var rounds = 0
        while !stop.isSet {
            var read = 0
            for file in files.values { read += file.advance(into: queue) }
            if read > 0 { continue }
            watcher?.watch(files.keys)
            let news = watcher?.wait(milliseconds: 250) ?? FileWatcher.pause(milliseconds: 250)
            rounds += 1
            if news == .names || rounds % 4 == 0 { discover(&files, isFirst: false) }
        }
        for file in files.values {
            file.save()
            file.close()
        }
    }

    private func discover(_ files: inout [String: FollowedFile], isFirst: Bool) {
        for path in config.patterns.flatMap(matching) where files[path] == nil {
            let file = FollowedFile(path, origin: origin(path), config: config, context: context)
            guard file.open(at: isFirst ? .saved : .start) else { continue }
            context.log.info("Adding file \(path) to datasources")
            files[path] = file
        }
    }
}
