import CrowdCore
import CrowdEngine
import Glibc
import Logging

/// One name being followed, through all that happens to the files behind it.
///
///     name leads elsewhere ──► the rest of the old file; it is read on for a while: its writer may not know yet
///     emptied, however fast ──► what was read of it is remembered
///     back after a restart ──► the rest of the file where it was left, under whatever name
///        then, in each case ──► rotated files and copies that were made since and are not known, the eldest first
///        then ──► what the name leads to now, from its start
///
/// Contents are known by their first bytes and how far they were read, so a copy is not read twice.
final class FollowedFile {
    /// How long a file is read on that has lost its name, in seconds.
    private static let lingering: Int64 = 60

    /// A file that is longer than what can be read of it is opened again after this.
    private static let stuckPatience = GoDuration.seconds(1)

    /// A new file may be seen only so long after it was made.
    private static let slowness = GoDuration.seconds(2)

    let path: String
    private let origin: LineOrigin
    private let maxLine: Int
    private let context: AcquisitionContext
    private var reader: LogReader?
    /// What the name leads to is to be read from its start, after the rotated files that come before it.
    private var isCatchingUp = false
    /// Rotated files that are accounted for, or none of our business.
    private var settled: Set<LogFile.Identity> = []
    /// Another look for rotated files is due: one may have come while the last look was taken.
    private var looksAgain = false
    private var left: [(reader: LogReader, until: Timestamp)] = []
    private var isReported = false
    private var stuckSince: Timestamp?
    private var saysLongLines = true
    private let block = LogReader.makeBlock()
    private let hits: Counter
    private var lag: SourceLag

    init(_ path: String, origin: LineOrigin, config: FileSourceConfig, context: AcquisitionContext) {
        self.path = path
        self.origin = origin
        self.context = context
        maxLine = config.maxLineBytes
        hits = context.metrics.counter(
            .fileSourceHits,
            [("source", "\(origin.source)"), ("datasource_type", "file"), ("acquis_type", origin.type)])
        lag = SourceLag(path, module: "file", type: origin.type, context)
    }

    deinit { block.deallocate() }

    // MARK: opening

    /// From its start, or where a file with these contents was left under another name. False when it cannot be opened.
    func openNew(into queue: LineQueue) -> Bool {
        guard let opened = open() else { return false }
        ignoreOlderFiles()
        begin(opened, at: knownOffset(of: opened), into: queue)
        return true
    }

    /// Where it was left, through files rotated since; at its end when nothing is known of it.
    func openKnown(into queue: LineQueue) -> Bool {
        guard let opened = open() else { return false }
        ignoreOlderFiles()
        guard let saved = context.positions.find(path) else {
            begin(opened, at: isNew(opened) ? 0 : opened.size, into: queue)
            return true
        }
        opened.lateUntil = opened.size
        let holder = RotatedFiles.holder(of: saved, named: opened)
        if holder === opened {
            begin(opened, at: saved.offset, into: queue)
        } else if let holder {
            context.log.info("\(path) was rotated meanwhile: what it held before is read first")
            holder.lateUntil = holder.size
            begin(holder, at: saved.offset, into: queue)
            isCatchingUp = true
            settled = Set(RotatedFiles.siblings(of: path).filter { $0.born <= holder.born }.map(\.identity))
        } else {
            context.log.warning("\(path) is another file than before: reading it from its start")
            begin(opened, at: 0, into: queue)
        }
        return true
    }

    /// It was made since somebody last looked: while nobody did, or a moment before.
    private func isNew(_ opened: LogFile) -> Bool {
        guard let watched = context.cursors.watchedUntil, let birth = opened.birth, birth > watched - Self.slowness,
            !context.positions.knows(opened), !RotatedFiles.isPacked(path)
        else { return false }
        context.log.info("\(path) appeared meanwhile: reading it from its start")
        opened.lateUntil = opened.size
        return true
    }

    private func open() -> LogFile? {
        do {
            let opened = try LogFile(path)
            isReported = false
            return opened
        } catch {
            if !isReported, error.code != EISDIR { context.log.error("Unable to read \(path): \(error)") }
            isReported = true
            return nil
        }
    }

    /// The place is made known at once: what is written from now on is not skipped if the agent ends before it is read.
    private func begin(_ opened: LogFile, at offset: Int64, into queue: LineQueue) {
        reader = LogReader(opened, at: offset, LineCutter(origin, maxLine: maxLine))
        let marker = LineBatch(origin, capacity: 0)
        marker.place = .file(FileSpan(start: offset, end: opened.position(of: path, at: offset), maxLine: maxLine))
        _ = queue.put(marker)
    }

    private func knownOffset(of file: LogFile) -> Int64 {
        context.positions.knownOffset(of: file, size: file.size) ?? 0
    }

    private func ignoreOlderFiles() {
        settled = Set(RotatedFiles.siblings(of: path).map(\.identity))
    }

    func isReading(_ other: LogFile) -> Bool {
        ([reader].compactMap { $0 } + left.map(\.reader)).contains { $0.file.isSame(as: other) }
    }

    func close() {
        for reader in [reader].compactMap({ $0 }) + left.map(\.reader) { context.positions.remember(reader.place) }
        (reader, left) = (nil, [])
    }

    /// For a source that goes on later: behind the last complete line.
    func save() {
        if let reader { context.positions.save(reader.position(of: path)) }
    }

    // MARK: reading

    /// Reads what is there, then looks whether the name leads elsewhere now. The number of bytes read.
    func advance(into queue: LineQueue) -> Int {
        let count = readNext(into: queue)
        if count > 0 { lag.isReading { bytesBehind } } else { lag.isAtEnd() }
        return count
    }

    /// Of all files that are read for this name.
    private var bytesBehind: Int64 {
        ([reader].compactMap { $0 } + left.map(\.reader)).reduce(0) { $0 + max($1.file.size - $1.file.offset, 0) }
    }

    private func readNext(into queue: LineQueue) -> Int {
        let count = readLeft(into: queue)
        if reader == nil, !openNew(into: queue) { return count }
        let read = read(into: queue)
        if read > 0 { return count + read }
        if isCatchingUp { return count + goOn(into: queue) }
        if looksAgain {
            looksAgain = false
            if catchUp(into: queue) { return count + self.read(into: queue) }
        }
        return count + followName(into: queue)
    }

    /// One block; 0 at the end of the file.
    private func read(into queue: LineQueue) -> Int {
        guard let reader else { return 0 }
        do {
            switch try reader.read(path, block: block) {
            case .nothing: return 0
            case .read(let count, let batch):
                stuckSince = nil
                deliver(batch, of: reader, to: queue)
                return count
            case .emptied: return startOver(into: queue)
            }
        } catch {
            context.log.error("Reading \(path) failed, opening it again: \(error)")
            context.positions.remember(reader.place)
            self.reader = nil
            return 0
        }
    }

    /// What the writer still puts into files that have lost their name.
    private func readLeft(into queue: LineQueue) -> Int {
        guard !left.isEmpty else { return 0 }
        var total = 0
        for (reader, _) in left {
            let outcome = try? reader.read(path, block: block)
            if case .emptied? = outcome { left.removeAll { $0.reader === reader } }
            guard case .read(let count, let batch)? = outcome else { continue }
            if case .file(var span)? = batch?.place {
                span.isLeft = true
                batch?.place = .file(span)
            }
            deliver(batch, of: reader, to: queue)
            context.positions.remember(reader.place)
            total += count
        }
        let now = Timestamp.now()
        left.removeAll { $0.until < now }
        return total
    }

    private func deliver(_ batch: LineBatch?, of reader: LogReader, to queue: LineQueue) {
        if reader.longLines > 0, saysLongLines {
            saysLongLines = false
            context.log.warning("A line of \(path) is longer than \(maxLine) bytes: the rest of it is dropped")
        }
        guard let batch else { return }
        hits.add(UInt64(batch.count))
        _ = queue.put(batch)
    }

    // MARK: rotation

    private func startOver(into queue: LineQueue) -> Int {
        guard let reader else { return 0 }
        context.log.info("\(path) was truncated: reading it from its start")
        context.positions.remember(reader.place)
        isCatchingUp = true
        return goOn(into: queue)
    }

    private func followName(into queue: LineQueue) -> Int {
        guard let reader else { return 0 }
        let file = reader.file
        var info = stat()
        if stat(path, &info) == 0, UInt64(info.st_dev) == file.device, UInt64(info.st_ino) == file.inode {
            if Int64(info.st_size) < file.offset { return startOver(into: queue) }
            return isStuck(at: Int64(info.st_size)) ? openAgain(into: queue) : 0
        }
        // Renamed or removed: what was written before the name changed is read first.
        let rest = read(into: queue)
        guard rest == 0, reader === self.reader, access(path, F_OK) == 0 else { return rest }
        context.log.info("\(path) was replaced: reading the new file from its start")
        context.positions.remember(reader.place)
        left.append((reader, Timestamp.now() + GoDuration.seconds(FollowedFile.lingering)))
        if left.count > 8 { left.removeFirst() }
        isCatchingUp = true
        return goOn(into: queue)
    }

    /// It is longer than what can be read of it, and that for a while.
    private func isStuck(at size: Int64) -> Bool {
        guard let reader, size > reader.file.offset else {
            stuckSince = nil
            return false
        }
        let since = stuckSince ?? Timestamp.now()
        stuckSince = since
        return Timestamp.now() - since > Self.stuckPatience
    }

    /// Its name leads to another file though the numbers are the same, as a network file system may have it.
    private func openAgain(into queue: LineQueue) -> Int {
        stuckSince = nil
        context.positions.remember(reader?.place)
        isCatchingUp = true
        return goOn(into: queue)
    }

    /// The next rotated file that is not known, or else what the name leads to, from its start or where it was left.
    private func goOn(into queue: LineQueue) -> Int {
        if catchUp(into: queue) { return read(into: queue) }
        guard let opened = open() else { return 0 }
        isCatchingUp = false
        looksAgain = true
        begin(opened, at: knownOffset(of: opened), into: queue)
        return read(into: queue)
    }

    /// Turns to the eldest rotated file with something unknown in it; false when there is none.
    private func catchUp(into queue: LineQueue) -> Bool {
        // A copy of what is being read now must be known for one.
        context.positions.remember(reader?.place)
        let named = try? LogFile(path)
        let siblings = RotatedFiles.siblings(of: path)
        settled.formIntersection(siblings.map(\.identity))
        let files = siblings.filter { !settled.contains($0.identity) }
        for file in files {
            if let named, file.isSame(as: named) { continue }
            if left.contains(where: { $0.reader.file.isSame(as: file) }) { continue }
            // Renamed since it was last looked at, and not at its end yet.
            if !isCatchingUp, let reader, reader.file.isSame(as: file) { continue }
            // Asked before anything else: what a copy gets while it is looked at has its turn later.
            let size = file.size
            let offset = context.positions.knownOffset(of: file, size: size) ?? 0
            guard offset < size else {
                if file.isFresh { looksAgain = true } else { settled.insert(file.identity) }
                continue
            }
            begin(file, at: offset, into: queue)
            isCatchingUp = true
            return true
        }
        return false
    }
}
