/// Appends numbers and texts to a byte array, for files that only this suite reads. Little-endian.
public struct ByteWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// - Parameter capacity: bytes to make room for.
    public init(capacity: Int) { bytes.reserveCapacity(capacity) }

    public mutating func byte(_ value: UInt8) { bytes.append(value) }
    public mutating func bool(_ value: Bool) { bytes.append(value ? 1 : 0) }
    public mutating func number(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    public mutating func int(_ value: Int) { number(Int64(value)) }
    public mutating func double(_ value: Double) { number(value.bitPattern) }
    public mutating func time(_ value: Timestamp) { number(value.nanoseconds) }

    public mutating func text(_ value: ByteSlice) {
        number(UInt32(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value.buffer)
    }
    public mutating func text(_ value: [UInt8]) {
        number(UInt32(truncatingIfNeeded: value.count))
        bytes.append(contentsOf: value)
    }
    public mutating func text(_ value: String) {
        var value = value
        value.withUTF8 { text(ByteSlice($0)) }
    }

    /// Begins anew in the room that was taken.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// In place of as many bytes, which must have been written.
    public mutating func replace(at offset: Int, with value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) {
            bytes.replaceSubrange(offset..<offset + $0.count, with: $0)
        }
    }

    /// Numbers of four bytes, one directly after the other: how many there are must be known when they are read.
    public mutating func raw(_ values: [Int32]) {
        #if _endian(little)
            values.withUnsafeBytes { bytes.append(contentsOf: $0) }
        #else
            for value in values { number(value) }
        #endif
    }

    /// What another one wrote, as it is.
    public mutating func append(_ other: ByteWriter) { bytes.append(contentsOf: other.bytes) }
}

/// Bytes that end too early or say what cannot be.
public struct DamagedBytes: Error, Equatable, Sendable, CustomStringConvertible {
    public let offset: Int
    public init(offset: Int) { self.offset = offset }
    public var description: String { "damaged at byte \(offset)" }
}

/// Reads what `ByteWriter` wrote; every length is checked against what is there.
///
/// Slices point into the buffer, which must outlive them.
public struct ByteReader {
    private let buffer: UnsafeBufferPointer<UInt8>
    public private(set) var offset = 0

    public init(_ buffer: UnsafeBufferPointer<UInt8>) { self.buffer = buffer }

    public var left: Int { buffer.count - offset }
    public var damage: DamagedBytes { DamagedBytes(offset: offset) }

    public mutating func byte() throws(DamagedBytes) -> UInt8 { try number() }
    public mutating func bool() throws(DamagedBytes) -> Bool { try byte() != 0 }
    public mutating func number<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(DamagedBytes) -> T {
        let slice = try slice(MemoryLayout<T>.size)
        return T(littleEndian: UnsafeRawBufferPointer(slice.buffer).loadUnaligned(as: T.self))
    }
    public mutating func int() throws(DamagedBytes) -> Int { Int(try number(Int64.self)) }
    public mutating func double() throws(DamagedBytes) -> Double { Double(bitPattern: try number()) }
    public mutating func time() throws(DamagedBytes) -> Timestamp { Timestamp(nanoseconds: try number()) }

    /// A count of things that take at least one byte each.
    public mutating func count() throws(DamagedBytes) -> Int {
        let count = Int(try number(UInt32.self))
        guard count <= left else { throw damage }
        return count
    }

    public mutating func text() throws(DamagedBytes) -> ByteSlice { try slice(Int(try number(UInt32.self))) }
    public mutating func string() throws(DamagedBytes) -> String { String(try text()) }

    /// The next bytes, as they are.
    public mutating func slice(_ count: Int) throws(DamagedBytes) -> ByteSlice {
        guard count >= 0, count <= left else { throw damage }
        defer { offset += count }
        return ByteSlice(UnsafeBufferPointer(rebasing: buffer[offset..<(offset + count)]))
    }
}
