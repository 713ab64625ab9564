internal import CrowdCore
internal import Glibc

/// Why there is no snapshot, or none that counts.
struct SnapshotError: Error, Equatable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Blocks of bytes on disk that only who has the key can have written.
///
/// (1) Each block carries HMAC-SHA256 over the digest of the block before it, its own place and its bytes, so that none
///     can be changed, moved, left out or put after another; the last says that it is the last.
/// (2) A new file replaces the old one in one step, after it was synced.
/// (3) The key is made at first use, from the system's generator, readable by nobody else.
enum SnapshotFile {
    static let magic = Array("crowd-snapshot-1".utf8)
    static let blockBytes = 64 * 1024
    /// A hundred million bans.
    static let limit = 1 << 30
    static let digestBytes = 32

    static func path(_ directory: String) -> String { directory + "/decisions.snapshot" }

    static func mac(_ key: [UInt8], after previous: [UInt8], isLast: Bool, _ block: ArraySlice<UInt8>) -> [UInt8] {
        Digest.hmacSHA256(key: key, previous + [isLast ? 1 : 0] + block)
    }

    /// The key of a directory, made if there is none.
    static func key(_ directory: String) throws(SnapshotError) -> [UInt8] {
        if mkdir(directory, 0o700) != 0 && errno != EEXIST {
            throw SnapshotError("mkdir \(directory): \(systemMessage(errno))")
        }
        let path = directory + "/snapshot.key"
        var fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        if fd >= 0 {
            let key = SecureRandom.bytes(digestBytes)
            defer { close(fd) }
            guard write(fd, key, key.count) == key.count, fsync(fd) == 0 else {
                unlink(path)
                throw SnapshotError("write \(path): \(systemMessage(errno))")
            }
            return key
        }
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard fd >= 0 else { throw SnapshotError("open \(path): \(systemMessage(errno))") }
        defer { close(fd) }
        var info = stat()
        guard fstat(fd, &info) == 0, info.st_uid == geteuid(), info.st_mode & 0o077 == 0 else {
            throw SnapshotError("\(path): others can read it or own it, which makes its signatures worthless")
        }
        var key = [UInt8](repeating: 0, count: digestBytes)
        guard read(fd, &key, key.count) == key.count else { throw SnapshotError("\(path) is too short") }
        return key
    }
}

/// Makes one snapshot: `put` as often as needed, then `finish`.
struct SnapshotWriter {
    private let key: [UInt8]
    private var file = SnapshotFile.magic
    private var block: [UInt8] = []
    private var digest = [UInt8](repeating: 0, count: SnapshotFile.digestBytes)

    init(key: [UInt8]) {
        self.key = key
        block.reserveCapacity(SnapshotFile.blockBytes + 64)
    }

    mutating func put(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { block.append(contentsOf: $0) }
        if block.count >= SnapshotFile.blockBytes { flush(isLast: false) }
    }

    mutating func put(_ text: String) {
        let bytes = Array(text.utf8.prefix(Int(UInt16.max)))
        put(UInt16(bytes.count))
        for byte in bytes { put(byte) }
    }

    /// The lowest `width` bytes of an address.
    mutating func put(_ address: UInt128, width: Int) {
        withUnsafeBytes(of: address.littleEndian) { block.append(contentsOf: $0.prefix(width)) }
    }

    /// The whole file.
    mutating func finish() -> [UInt8] {
        flush(isLast: true)
        return file
    }

    private mutating func flush(isLast: Bool) {
        digest = SnapshotFile.mac(key, after: digest, isLast: isLast, block[...])
        let length = UInt32(block.count) | (isLast ? 1 << 31 : 0)
        withUnsafeBytes(of: length.littleEndian) { file.append(contentsOf: $0) }
        file += block
        file += digest
        block.removeAll(keepingCapacity: true)
    }
}

extension SnapshotFile {
    /// Makes a snapshot the one that counts.
    static func store(_ bytes: [UInt8], _ directory: String) throws(SnapshotError) {
        let path = path(directory)
        let fd = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard fd >= 0 else { throw SnapshotError("open \(path).new: \(systemMessage(errno))") }
        defer { close(fd) }
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(fd, $0.baseAddress?.advanced(by: done), bytes.count - done) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw SnapshotError("write \(path).new: \(systemMessage(errno))") }
            done += count
        }
        guard fdatasync(fd) == 0, rename(path + ".new", path) == 0 else {
            throw SnapshotError("write \(path): \(systemMessage(errno))")
        }
    }
}

/// Reads a snapshot whose signatures have all been checked.
struct SnapshotReader {
    private let bytes: [UInt8]
    private var position = 0

    /// `nil` if there is none.
    init?(_ directory: String, key: [UInt8]) throws(SnapshotError) {
        let path = SnapshotFile.path(directory)
        guard FileContents.exists(path) else { return nil }
        do throws(ConfigError) {
            bytes = try Self.checked(try FileContents.read(path, limit: SnapshotFile.limit), key: key)
        } catch {
            throw SnapshotError("\(error)")
        }
    }

    /// The blocks' bytes, one after the other.
    static func checked(_ file: [UInt8], key: [UInt8]) throws(ConfigError) -> [UInt8] {
        guard file.starts(with: SnapshotFile.magic) else { throw ConfigError("this is no snapshot") }
        var out: [UInt8] = []
        var digest = [UInt8](repeating: 0, count: SnapshotFile.digestBytes)
        var rest = file[SnapshotFile.magic.count...]
        while true {
            guard rest.count >= 4 + SnapshotFile.digestBytes else { throw ConfigError("the snapshot is cut off") }
            let head = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            let (length, isLast) = (Int(head & 0x7FFF_FFFF), head >> 31 == 1)
            rest = rest.dropFirst(4)
            guard length <= 2 * SnapshotFile.blockBytes, rest.count >= length + SnapshotFile.digestBytes else {
                throw ConfigError("the snapshot is cut off")
            }
            let block = rest.prefix(length)
            digest = SnapshotFile.mac(key, after: digest, isLast: isLast, block)
            let claimed = Array(rest.dropFirst(length).prefix(SnapshotFile.digestBytes))
            guard Digest.equal(digest, claimed) else { throw ConfigError("the snapshot's signature is wrong") }
            out += block
            rest = rest.dropFirst(length + SnapshotFile.digestBytes)
            if isLast { return out }
        }
    }

    mutating func take<Value: FixedWidthInteger>(_: Value.Type = Value.self) throws(SnapshotError) -> Value {
        Value(truncatingIfNeeded: try take(width: MemoryLayout<Value>.size))
    }

    mutating func take(width: Int) throws(SnapshotError) -> UInt128 {
        guard position + width <= bytes.count else { throw SnapshotError("the snapshot is too short") }
        defer { position += width }
        return bytes[position..<(position + width)].reversed().reduce(0) { $0 << 8 | UInt128($1) }
    }

    mutating func text() throws(SnapshotError) -> String {
        let count = Int(try take(UInt16.self))
        guard position + count <= bytes.count else { throw SnapshotError("the snapshot is too short") }
        defer { position += count }
        return String(decoding: bytes[position..<(position + count)], as: UTF8.self)
    }
}
