import CrowdCore
import CrowdEngine
import Glibc
import Logging

/// One file being read: its descriptor, how far it was read, and the line that is not complete yet.
final class FollowedFile {
    enum Start { case start, saved }

    private static let blockSize = 256 * 1024

    private let path: String
    private let context: AcquisitionContext
    private var cutter: LineCutter
    private var descriptor: Int32 = -1
    private var identity: (device: UInt64, inode: UInt64) = (0, 0)
    private var offset: Int64 = 0
    private var isReported = false
    private var reportedLongLines = 0
    private let block = UnsafeMutablePointer<UInt8>.allocate(capacity: FollowedFile.blockSize)
    private let hits: Counter

    init(_ path: String, origin: LineOrigin, config: FileSourceConfig, context: AcquisitionContext) {
        self.path = path
        self.context = context
        cutter = LineCutter(origin, maxLine: config.maxLineBytes)
        hits = context.metrics.counter(
            .fileSourceHits,
            [("source", path), ("datasource_type", "file"), ("acquis_type", origin.type)])
    }

    deinit {
        close()
        block.deallocate()
    }

    /// False when it cannot be opened; said once until it can.
    func open(at start: Start) -> Bool {
        let opened = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard opened >= 0 else {
            if !isReported { context.log.error("Unable to read \(path): \(systemMessage(errno))") }
            isReported = true
            return false
        }
        var info = stat()
        guard fstat(opened, &info) == 0, info.st_mode & S_IFMT != S_IFDIR else {
            Glibc.close(opened)
            return false
        }
        isReported = false
        descriptor = opened
        identity = (UInt64(info.st_dev), UInt64(info.st_ino))
        offset = start == .start ? 0 : savedOffset(Int64(info.st_size))
        lseek(descriptor, off_t(offset), SEEK_SET)
        return true
    }

    /// Where the file was left if it is still the same one, else its end.
    private func savedOffset(_ size: Int64) -> Int64 {
        guard let saved = context.positions.find(path), saved.device == identity.device, saved.inode == identity.inode,
            saved.offset <= size
        else { return size }
        return saved.offset
    }

    /// Remembers the place behind the last complete line.
    func save() {
        guard descriptor >= 0 else { return }
        context.positions.save(
            .init(device: identity.device, inode: identity.inode, offset: offset - Int64(cutter.pendingBytes)), of: path
        )
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    /// Reads what is there, then looks whether the name leads elsewhere now. The number of bytes read.
    func advance(into queue: LineQueue) -> Int {
        if descriptor < 0 {
            guard open(at: .start) else { return 0 }
        }
        let count = read(into: queue)
        guard count == 0 else { return count }
        return followRotation(into: queue)
    }

    /// One block; 0 at the end of the file.
    func read(into queue: LineQueue) -> Int {
        var count = Glibc.read(descriptor, block, FollowedFile.blockSize)
        while count < 0, errno == EINTR { count = Glibc.read(descriptor, block, FollowedFile.blockSize) }
        guard count > 0 else {
            if count < 0, errno != EAGAIN { fail() }
            return 0
        }
        offset += Int64(count)
        deliver(cutter.cut(UnsafeBufferPointer(start: block, count: count)), to: queue)
        return count
    }

    private func fail() {
        context.log.error("Reading \(path) failed: \(systemMessage(errno))")
        close()
    }

    /// The last line of a file read once may have no newline.
    func flush(into queue: LineQueue) { deliver(cutter.rest(), to: queue) }

    private func deliver(_ batch: LineBatch?, to queue: LineQueue) {
        if cutter.longLines > reportedLongLines {
            if reportedLongLines == 0 {
                context.log.warning(
                    "A line of \(path) is longer than \(cutter.maxLine) bytes: the rest of it is dropped")
            }
            reportedLongLines = cutter.longLines
        }
        guard let batch else { return }
        hits.add(UInt64(batch.count))
        _ = queue.put(batch)
    }

    private func followRotation(into queue: LineQueue) -> Int {
        var info = stat()
        if stat(path, &info) == 0, UInt64(info.st_dev) == identity.device, UInt64(info.st_ino) == identity.inode {
            guard Int64(info.st_size) < offset else { return 0 }
            context.log.info("\(path) was truncated: reading it from its start")
            lseek(descriptor, 0, SEEK_SET)
            offset = 0
            cutter.reset()
            return read(into: queue)
        }
        // Renamed or removed: what was written before the name changed is read first.
        let rest = read(into: queue)
        if rest > 0 { return rest }
        guard access(path, F_OK) == 0 else { return 0 }
        close()
        cutter.reset()
        guard open(at: .start) else { return 0 }
        context.log.info("\(path) was replaced: reading the new file from its start")
        return read(into: queue)
    }
}
