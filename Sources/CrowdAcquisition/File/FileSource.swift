internal import CrowdCore
import CrowdEngine
import CrowdText
import Glibc
import Logging
import Synchronization

/// Follows or reads log files: one thread for all files of one acquisition entry.
///
/// A file that appears later is read from its start, since all of it is new; one that is there at the first start is
/// followed from its end, later from where it was left.
final class FileSource: DataSource {
    private let config: FileSourceConfig
    private let context: AcquisitionContext
    private let begun = Atomic(false)

    init(_ config: FileSourceConfig, _ context: AcquisitionContext) {
        self.config = config
        self.context = context
    }

    var name: String { "file:" + config.patterns.joined(separator: ",") }
    var module: String { "file" }
    var isFinite: Bool { config.common.mode == .cat }
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    func run(into queue: LineQueue, until stop: StopFlag) throws {
        defer { begun.store(true, ordering: .releasing) }
        if isFinite { try readOnce(into: queue, until: stop) } else { follow(into: queue, until: stop) }
    }

    // MARK: once

    /// - Throws: from the command line, when a file could not be read to its end; the others are read all the same.
    private func readOnce(into queue: LineQueue, until stop: StopFlag) throws {
        var failure: ConfigError?
        for pattern in config.patterns {
            let paths = matching(pattern)
            if paths.isEmpty {
                if config.demandsFiles { throw ConfigError("no matching files for pattern \(pattern)") }
                context.log.warning("No matching files for pattern \(pattern)")
            }
            for path in paths {
                context.log.info("reading \(path) at once")
                let file = WholeFile(path, origin: origin(path), maxLine: config.maxLineBytes, context)
                do {
                    try file.read(into: queue, until: stop)
                } catch {
                    context.log.error("\(error)")
                    failure = failure ?? error
                }
            }
        }
        if let failure, config.demandsFiles { throw failure }
    }

    private func origin(_ path: String) -> LineOrigin {
        // CrowdSec has the name alone where metrics are to be few.
        let source = context.metrics.level == .aggregated ? FileContents.name(of: path) : path
        return LineOrigin(
            source: source, module: "file", labels: config.common.labels,
            isReplay: config.common.isReplay)
    }

    /// Files of a pattern, without the excluded ones.
    private func matching(_ pattern: String) -> [String] {
        FilePattern.matches(pattern).filter { path in
            var path = path
            return path.withUTF8 { bytes in !config.exclusions.contains { $0.matches(ByteSlice(bytes)) } }
        }
    }

    // MARK: following

    private func follow(into queue: LineQueue, until stop: StopFlag) {
        let watcher = config.pollsOnly ? nil : FileWatcher(config.patterns, log: context.log)
        var files: [String: FollowedFile] = [:]
        discover(&files, isFirst: true, into: queue)
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
            if news == .names || rounds % 4 == 0 { discover(&files, isFirst: false, into: queue) }
        }
        for file in files.values {
            file.save()
            file.close()
        }
        context.cursors.watched(until: .now())
    }

    private func discover(_ files: inout [String: FollowedFile], isFirst: Bool, into queue: LineQueue) {
        for path in config.patterns.flatMap(matching) where files[path] == nil {
            // A file that is being read under another name was just rotated: its turn comes when that one has left it.
            if !isFirst, let opened = try? LogFile(path), files.values.contains(where: { $0.isReading(opened) }) {
                continue
            }
            let file = FollowedFile(path, origin: origin(path), config: config, context: context)
            guard isFirst ? file.openKnown(into: queue) : file.openNew(into: queue) else { continue }
            context.log.info("Adding file \(path) to datasources")
            files[path] = file
        }
    }
}
