public import Glibc

/// Memory for the bytes of one event, handed out by moving a pointer and taken back all at once.
///
/// (1) Bytes never move: a slice stays valid until `reset`. (2) `reset` keeps the first chunk, so a worker that
/// handles ordinary lines allocates nothing per line. (3) One owner, one thread.
public final class Arena {
    @usableFromInline var cursor: UnsafeMutablePointer<UInt8>
    @usableFromInline var left: Int
    private var first: UnsafeMutablePointer<UInt8>
    private var chunkSize: Int
    private var more: [UnsafeMutablePointer<UInt8>] = []

    public init(chunkSize: Int = 16 * 1024) {
        self.chunkSize = chunkSize
        first = .allocate(capacity: chunkSize)
        cursor = first
        left = chunkSize
    }

    deinit {
        first.deallocate()
        for chunk in more { chunk.deallocate() }
    }

    /// Forgets all bytes handed out.
    public func reset() {
        cursor = first
        left = chunkSize
        guard !more.isEmpty else { return }
        for chunk in more { chunk.deallocate() }
        more.removeAll(keepingCapacity: true)
    }

    /// Each becomes the other, with all that was handed out.
    public func exchange(with other: Arena) {
        (first, other.first) = (other.first, first)
        (chunkSize, other.chunkSize) = (other.chunkSize, chunkSize)
        (cursor, other.cursor) = (other.cursor, cursor)
        (left, other.left) = (other.left, left)
        swap(&more, &other.more)
    }

    /// A place to go back to, as long as nothing was reset or exchanged.
    public struct Mark {
        fileprivate let cursor: UnsafeMutablePointer<UInt8>
        fileprivate let left: Int
        fileprivate let chunks: Int
    }

    public var mark: Mark { Mark(cursor: cursor, left: left, chunks: more.count) }

    /// Forgets what was handed out since.
    public func rewind(to mark: Mark) {
        cursor = mark.cursor
        left = mark.left
        while more.count > mark.chunks { more.removeLast().deallocate() }
    }

    /// `count` bytes, not initialised.
    @inlinable public func allocate(_ count: Int) -> UnsafeMutablePointer<UInt8> {
        if count > left { grow(count) }
        let taken = cursor
        cursor += count
        left -= count
        return taken
    }

    @usableFromInline func grow(_ count: Int) {
        let size = max(count, chunkSize)
        let chunk = UnsafeMutablePointer<UInt8>.allocate(capacity: size)
        more.append(chunk)
        cursor = chunk
        left = size
    }

    @inlinable public func copy(_ slice: ByteSlice) -> ByteSlice {
        guard slice.count > 0 else { return .empty }
        let target = allocate(slice.count)
        memcpy(target, slice.base, slice.count)
        return ByteSlice(base: target, count: slice.count)
    }

    public func copy(_ text: String) -> ByteSlice {
        var text = text
        return text.withUTF8 { copy(ByteSlice($0)) }
    }

    public func copy(_ bytes: [UInt8]) -> ByteSlice { bytes.withUnsafeBufferPointer { copy(ByteSlice($0)) } }

    public func join(_ a: ByteSlice, _ b: ByteSlice) -> ByteSlice {
        let target = allocate(a.count + b.count)
        memcpy(target, a.base, a.count)
        memcpy(target + a.count, b.base, b.count)
        return ByteSlice(base: target, count: a.count + b.count)
    }

    /// Decimal digits, without making a String.
    public func decimal(_ value: Int64) -> ByteSlice {
        let room = allocate(20)
        var at = 20
        var rest = value.magnitude
        repeat {
            at -= 1
            room[at] = 48 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        if value < 0 {
            at -= 1
            room[at] = UInt8(ascii: "-")
        }
        return ByteSlice(base: room + at, count: 20 - at)
    }
}

/// Bytes that live as long as the process: the constants of loaded content. Small, and never freed on a reload, because
/// buckets and queued alerts may still point into them.
public enum Immortal {
    public static func copy(_ text: String) -> ByteSlice {
        var text = text
        return text.withUTF8 { copy(ByteSlice($0)) }
    }

    public static func copy(_ slice: ByteSlice) -> ByteSlice {
        guard slice.count > 0 else { return .empty }
        let target = UnsafeMutablePointer<UInt8>.allocate(capacity: slice.count)
        memcpy(target, slice.base, slice.count)
        return ByteSlice(base: target, count: slice.count)
    }
}
