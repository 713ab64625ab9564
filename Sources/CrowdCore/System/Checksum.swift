private import CZlib

/// Checksums that find torn and rotten bytes, not forgeries.
public enum Checksum {
    /// CRC-32 as zlib and gzip compute it.
    public static func crc32(_ bytes: [UInt8], continuing start: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBufferPointer { crc32($0, continuing: start) }
    }

    public static func crc32(_ bytes: UnsafeBufferPointer<UInt8>, continuing start: UInt32 = 0) -> UInt32 {
        guard let base = bytes.baseAddress else { return start }
        return UInt32(truncatingIfNeeded: crc32_z(UInt(start), base, bytes.count))
    }
}
