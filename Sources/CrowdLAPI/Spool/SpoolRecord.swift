internal import CrowdCore

/// One record of the spool file, little-endian:
///
/// ```
/// magic "CSP1"  4 | kind 1 | 0 0 0 | sequence 8 | length 4 | crc32 4 | payload
/// ```
///
/// The checksum covers everything but itself. An alert's payload is its uuid, a line feed, its JSON; an
/// acknowledgement's is the last sequence that it covers (8 bytes), its own sequence being the first.
struct SpoolRecord: Equatable {
    enum Kind: UInt8 {
        case alert = 1
        case acknowledged = 2
    }

    static let headerBytes = 24
    /// Longest payload that is believed when reading.
    static let maxPayloadBytes = 64 * 1024 * 1024
    private static let magic: UInt32 = 0x3150_5343

    var kind: Kind
    var sequence: UInt64
    var payload: [UInt8]

    /// What an alert takes in the file.
    static func size(of alert: EncodedAlert) -> Int { headerBytes + alert.uuid.utf8.count + 1 + alert.json.count }

    /// Appends the record of an alert; the length of its payload.
    static func append(_ alert: EncodedAlert, sequence: UInt64, to bytes: inout [UInt8]) -> Int {
        let length = alert.uuid.utf8.count + 1 + alert.json.count
        appendHead(.alert, sequence, length, to: &bytes)
        let start = bytes.count
        bytes.append(contentsOf: [0, 0, 0, 0])
        bytes.append(contentsOf: alert.uuid.utf8)
        bytes.append(0x0A)
        bytes.append(contentsOf: alert.json)
        seal(&bytes, checksumAt: start)
        return length
    }

    /// Appends the record that says that all alerts from the first to the last sequence are done with.
    static func appendAcknowledgement(_ range: ClosedRange<UInt64>, to bytes: inout [UInt8]) {
        appendHead(.acknowledged, range.lowerBound, 8, to: &bytes)
        let start = bytes.count
        bytes.append(contentsOf: [0, 0, 0, 0])
        append(range.upperBound, to: &bytes)
        seal(&bytes, checksumAt: start)
    }

    /// What an acknowledgement covers.
    var acknowledged: ClosedRange<UInt64> {
        guard payload.count == 8 else { return sequence...sequence }
        return sequence...max(sequence, Self.integer(payload[0..<8]))
    }

    var alert: EncodedAlert? {
        guard kind == .alert, let end = payload.firstIndex(of: 0x0A) else { return nil }
        return EncodedAlert(
            uuid: String(decoding: payload[..<end], as: UTF8.self), json: Array(payload[(end + 1)...]))
    }

    /// Everything before the checksum.
    private static func appendHead(_ kind: Kind, _ sequence: UInt64, _ length: Int, to bytes: inout [UInt8]) {
        append(magic, to: &bytes)
        bytes.append(contentsOf: [kind.rawValue, 0, 0, 0])
        append(sequence, to: &bytes)
        append(UInt32(truncatingIfNeeded: length), to: &bytes)
    }

    /// Puts the checksum of the 20 bytes before `place` and of the payload behind it there.
    private static func seal(_ bytes: inout [UInt8], checksumAt place: Int) {
        let checksum = bytes.withUnsafeBufferPointer { all in
            let head = Checksum.crc32(UnsafeBufferPointer(rebasing: all[(place - 20)..<place]))
            return Checksum.crc32(UnsafeBufferPointer(rebasing: all[(place + 4)...]), continuing: head)
        }
        for (index, byte) in withUnsafeBytes(of: checksum.littleEndian, Array.init).enumerated() {
            bytes[place + index] = byte
        }
    }

    /// What a header says: kind, sequence, length of the payload, checksum. `nil` if it is none.
    struct Header {
        var kind: Kind
        var sequence: UInt64
        var length: Int
        var checksum: UInt32
        private var covered: [UInt8]

        init?(_ bytes: [UInt8]) {
            guard bytes.count == SpoolRecord.headerBytes, SpoolRecord.integer(bytes[0..<4]) == UInt64(magic),
                let kind = Kind(rawValue: bytes[4])
            else { return nil }
            self.kind = kind
            sequence = SpoolRecord.integer(bytes[8..<16])
            length = Int(SpoolRecord.integer(bytes[16..<20]))
            checksum = UInt32(SpoolRecord.integer(bytes[20..<24]))
            covered = Array(bytes[0..<20])
            guard length <= SpoolRecord.maxPayloadBytes else { return nil }
        }

        func matches(_ payload: [UInt8]) -> Bool { SpoolRecord.checksum(covered, payload) == checksum }
    }

    private static func checksum(_ head: [UInt8], _ payload: [UInt8]) -> UInt32 {
        Checksum.crc32(payload, continuing: Checksum.crc32(head))
    }

    private static func append(_ value: some FixedWidthInteger, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    private static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
