internal import CZlib
internal import Glibc

/// gzip through zlib.
public enum Gzip {
    /// `bytes` as one gzip member; `nil` only when memory is out.
    public static func compress(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8]? {
        var stream = z_stream()
        let size = Int32(MemoryLayout<z_stream>.size)
        // 15 bits of window, plus 16 for the gzip wrapper.
        guard deflateInit2_(&stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK else {
            return nil
        }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let status = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target in
                stream.next_in = source.baseAddress
                stream.avail_in = UInt32(source.count)
                stream.next_out = target.baseAddress
                stream.avail_out = UInt32(target.count)
                return deflate(&stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END else { return nil }
        output.removeLast(output.count - Int(stream.total_out))
        return output
    }

    /// The contents of a gzip file of any number of members; `nil` for one that is broken, cut off, or larger than
    /// `limit` unpacked.
    public static func decompress(_ bytes: [UInt8], limit: Int) -> [UInt8]? {
        var stream = z_stream()
        guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { return nil }
        defer { inflateEnd(&stream) }
        var input = bytes
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 256 * 1024)
        return input.withUnsafeMutableBufferPointer { source in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(clamping: source.count)
            while true {
                let status = chunk.withUnsafeMutableBufferPointer { target in
                    stream.next_out = target.baseAddress
                    stream.avail_out = UInt32(target.count)
                    return inflate(&stream, Z_NO_FLUSH)
                }
                output += chunk[..<(chunk.count - Int(stream.avail_out))]
                guard output.count <= limit, status == Z_OK || status == Z_STREAM_END else { return nil }
                guard status == Z_STREAM_END else { continue }
                if stream.avail_in == 0 { return output }
                guard inflateReset(&stream) == Z_OK else { return nil }
            }
        }
    }

    /// Replaces the file at `path` by `path.gz`, in constant memory. On failure the plain file stays.
    @discardableResult
    public static func compressFile(_ path: String) -> Bool {
        let source = open(path, O_RDONLY | O_CLOEXEC)
        guard source >= 0 else { return false }
        defer { close(source) }
        let target = open(path + ".gz", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard target >= 0, let gzip = gzdopen(target, "wb") else { return false }
        guard copy(source, to: gzip), gzclose(gzip) == Z_OK else {
            unlink(path + ".gz")
            return false
        }
        return unlink(path) == 0
    }

    private static func copy(_ source: Int32, to gzip: gzFile) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = read(source, &buffer, buffer.count)
            if count == 0 { return true }
            guard count > 0, gzwrite(gzip, buffer, UInt32(count)) == Int32(count) else {
                gzclose(gzip)
                return false
            }
        }
    }
}

/// Reads a gzip file from its start, in blocks; a file that is not gzip is read as it is.
public final class GzipReader {
    private let handle: gzFile

    /// nil when it cannot be opened; `errno` says why.
    public init?(_ path: String) {
        guard let opened = gzopen(path, "rbe") else { return nil }
        handle = opened
    }

    deinit { gzclose(handle) }

    /// The next bytes; 0 at the end, nil when the file is damaged or cut off.
    public func read(into block: UnsafeMutableBufferPointer<UInt8>) -> Int? {
        let count = gzread(handle, block.baseAddress, UInt32(truncatingIfNeeded: block.count))
        guard count == 0 else { return count < 0 ? nil : Int(count) }
        var status: Int32 = 0
        gzerror(handle, &status)
        return status == Z_OK ? 0 : nil
    }
}
