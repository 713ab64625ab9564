import CFileTimes
import CrowdCore
import Glibc

/// One open log file: its identity, how far it was read, and what lies before that place.
///
/// The bytes before the place are compared before more is read: a file that was emptied and has grown past the place
/// since is noticed, however quickly it grew. Its first bytes are kept: copies of it are known by them.
final class LogFile {
    /// Bytes before the place that are compared, and first bytes that are kept.
    private static let tailLength = 64
    static let headLength = 256
    private static let freshSeconds: Int64 = 5

    let descriptor: Int32
    let device: UInt64
    let inode: UInt64
    /// When the file was made; nil where the file system does not know.
    let birth: Timestamp?
    /// The same where it is known, else when it was last written; nanoseconds.
    let born: Int64
    private(set) var offset: Int64 = 0
    private var tail: [UInt8] = []
    /// Its contents are others now.
    private var isLost = false
    private var head: [UInt8] = []
    private var headSum: (length: Int, sum: UInt32) = (0, 0)
    /// What lies before this was written while nobody read.
    var lateUntil: Int64 = 0

    /// - Throws: `SystemError` when it cannot be opened or is a directory.
    init(_ path: String) throws(SystemError) {
        descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw SystemError(errno) }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { throw SystemError(errno) }
        (device, inode) = (UInt64(info.st_dev), UInt64(info.st_ino))
        guard info.st_mode & S_IFMT != S_IFDIR else { throw SystemError(EISDIR) }
        let birth = crowd_birth_time(descriptor)
        self.birth = birth > 0 ? Timestamp(nanoseconds: birth) : nil
        born = birth > 0 ? birth : Int64(info.st_mtim.tv_sec) * 1_000_000_000 + Int64(info.st_mtim.tv_nsec)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    var size: Int64 {
        var info = stat()
        return fstat(descriptor, &info) == 0 ? Int64(info.st_size) : 0
    }

    var isLate: Bool { offset < lateUntil }

    // MARK: reading

    /// Goes to a place and learns what lies before it.
    func seek(to place: Int64) {
        offset = place
        head = bytes(at: 0, count: Int(min(place, Int64(LogFile.headLength))))
        let length = min(place, Int64(LogFile.tailLength))
        tail = bytes(at: place - length, count: Int(length))
        // It was emptied since the place was found in it.
        isLost = tail.count < Int(length)
        headSum = (0, 0)
    }

    /// The next bytes, in `block`; none at the end, nil when the file is no longer the one that was read.
    ///
    /// One system call gets the bytes before the place and those behind it, so that both are of the same contents.
    func read(into block: UnsafeMutableBufferPointer<UInt8>) throws(SystemError) -> UnsafeBufferPointer<UInt8>? {
        guard !isLost, let base = block.baseAddress else { return nil }
        let start = off_t(offset) - off_t(tail.count)
        var count = pread(descriptor, base, block.count, start)
        while count < 0, errno == EINTR { count = pread(descriptor, base, block.count, start) }
        guard count >= 0 else {
            if errno == EAGAIN { return UnsafeBufferPointer(start: base, count: 0) }
            throw SystemError(errno)
        }
        guard count >= tail.count, memcmp(base, tail, tail.count) == 0 else {
            isLost = true
            return nil
        }
        let read = UnsafeBufferPointer(start: base + tail.count, count: count - tail.count)
        if !read.isEmpty { keepEnds(read) }
        offset += Int64(read.count)
        return read
    }

    private func keepEnds(_ read: UnsafeBufferPointer<UInt8>) {
        if Int64(head.count) == offset, head.count < LogFile.headLength {
            head += read.prefix(LogFile.headLength - head.count)
        }
        if read.count >= LogFile.tailLength {
            tail = Array(read.suffix(LogFile.tailLength))
        } else {
            tail = Array((tail + read).suffix(LogFile.tailLength))
        }
    }

    /// Whether these bytes stand right before that place.
    func has(_ tail: [UInt8], before place: Int64) -> Bool {
        tail.isEmpty || bytes(at: place - Int64(tail.count), count: tail.count) == tail
    }

    func bytes(at place: Int64, count: Int) -> [UInt8] {
        guard count > 0, place >= 0 else { return [] }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(pread(descriptor, buffer.baseAddress, count, off_t(place)), 0)
        }
    }

    // MARK: identity

    /// The place `end`, which was read past, to be found again after a restart.
    func position(of path: String, at end: Int64) -> FilePosition {
        let length = min(head.count, Int(min(end, Int64(LogFile.headLength))))
        if headSum.length != length { headSum = (length, Checksum.crc32(Array(head[..<length]))) }
        return FilePosition(
            path: path, device: device, inode: inode, offset: end, headLength: length, headSum: headSum.sum)
    }

    /// It begins as the file of that position did and reaches as far.
    func begins(like position: FilePosition) -> Bool {
        size >= position.offset && headSum(position.headLength) == position.headSum
    }

    /// CRC-32 of the first bytes as they are now; nil when there are not so many.
    func headSum(_ length: Int) -> UInt32? {
        let bytes = bytes(at: 0, count: length)
        return bytes.count == length ? Checksum.crc32(bytes) : nil
    }

    /// An inode may be used again; not by a file made at the same time.
    struct Identity: Hashable {
        var device: UInt64
        var inode: UInt64
        var born: Int64
    }
    var identity: Identity { Identity(device: device, inode: inode, born: born) }

    func isSame(as position: FilePosition) -> Bool { device == position.device && inode == position.inode }
    func isSame(as other: LogFile) -> Bool { device == other.device && inode == other.inode }

    /// What is remembered of it once it is left: all that was read but for the last `pending` bytes, the beginning of a
    /// line. Nil when its contents were others already when it was opened.
    func place(pending: Int64) -> KnownPlace? {
        guard tail.count == Int(min(offset, Int64(LogFile.tailLength))) else { return nil }
        let tail = pending < Int64(tail.count) ? Array(tail.dropLast(Int(pending))) : []
        return KnownPlace(device: device, inode: inode, offset: offset - pending, head: head, tail: tail)
    }

    /// Written to a moment ago: it may be a copy that is still being made.
    var isFresh: Bool {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { return false }
        return Timestamp.now().seconds - Int64(info.st_mtim.tv_sec) < LogFile.freshSeconds
    }
}

/// A system call's error number.
struct SystemError: Error, Equatable, CustomStringConvertible {
    let code: Int32
    init(_ code: Int32) { self.code = code }
    var description: String { systemMessage(code) }
}

/// Up to where some contents were read, for finding them under another name or in a copy.
struct KnownPlace: Equatable, Sendable {
    var device: UInt64
    var inode: UInt64
    var offset: Int64
    /// Their first bytes, and the last ones before the place.
    var head: [UInt8]
    var tail: [UInt8]

    /// How much of a file was read as these contents; nil when it holds others.
    ///
    /// - Parameters:
    ///   - start: the first bytes of the file, as many as are kept of a place or as there were.
    ///   - size: of the file, not later than `start`: of a copy that is being made nothing beyond is looked at.
    func offset(in file: LogFile, start: [UInt8], size: Int64) -> Int64? {
        let isSame = device == file.device && inode == file.inode
        // Nothing of it was read yet, but it is that very file.
        guard !head.isEmpty else { return isSame ? 0 : nil }
        if size < Int64(head.count) {
            let begins = start.prefix(Int(size)).elementsEqual(head.prefix(Int(size)))
            return begins && !isSame && file.isFresh ? size : nil
        }
        guard start.starts(with: head) else { return nil }
        // A copy that is not complete, or of an earlier moment: all of it was read. The file itself was emptied.
        if size < offset { return isSame ? nil : size }
        return file.has(tail, before: offset) ? offset : nil
    }
}
