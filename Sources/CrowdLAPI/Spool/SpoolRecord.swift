internal import CrowdCore

/// One record of the spool file, little-endian:
///
/// ```
/// magic "CSP1"  4 | kind 1 | 0 0 0 | sequence 8 | length 4 | crc32 4 | payload
/// ```
///
/// The checksum covers everything but itself. An alert's payload is its uuid, a line feed, its JSON; an
/// acknowledgement's is empty and its sequence that of the alert.
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
    var payload: [UInt8] = []

    init(_ kind: Kind, sequence: UInt64, payload: [UInt8] = []) {
        self.kind = kind
        self.sequence = sequence
        self.payload = payload
    }

    init(_ alert: EncodedAlert, sequence: UInt64) {
        self.init(.alert, sequence: sequence, payload: Array(alert.uuid.utf8) + [0x0A] + alert.json)
    }

    var alert: EncodedAlert? {
        guard kind == .alert, let end = payload.firstIndex(of: 0x0A) else { return nil }
        return EncodedAlert(
            uuid: String(decoding: payload[..<end], as: UTF8.self), json: Array(payload[(end + 1)...]))
    }

    var bytes: [UInt8] {
        var head: [UInt8] = []
        head.reserveCapacity(Self.headerBytes + payload.count)
        Self.append(Self.magic, to: &head)
        head += [kind.rawValue, 0, 0, 0]
        Self.append(sequence, to: &head)
        Self.append(UInt32(payload.count), to: &head)
        Self.append(Self.checksum(head, payload), to: &head)
        return head + payload
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
