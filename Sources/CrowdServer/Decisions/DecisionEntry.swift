import CrowdCore
import CrowdStore

/// One decision in memory: 104 bytes, and no heap block unless the value is longer than 15 bytes.
struct DecisionEntry: Sendable {
    enum State: UInt8, Sendable { case free, active, expired, ended }

    var id: Int64
    /// Nanoseconds since 1970, as are all times here.
    var until: Int64
    var createdAt: Int64
    /// Number of the last change of this decision in the log.
    var change: UInt64 = 0
    var uuid: (high: UInt64, low: UInt64)
    /// First address of the network, when there is one.
    var network: (high: UInt64, low: UInt64)
    var value: String
    /// Number in `DecisionKinds`.
    var kind: UInt32
    /// Decisions with the same value, type and scope.
    var twins: RingLink
    /// Decisions about the same network.
    var neighbours: RingLink
    var prefixLength: UInt8
    /// 0, 4 or 6.
    var family: UInt8
    var state = State.active
    var isSimulated: Bool

    init(_ record: DecisionRecord, kind: UInt32, slot: Int) {
        id = record.id
        until = record.until.nanoseconds
        createdAt = record.createdAt.nanoseconds
        uuid = UUIDText.parse(record.uuid) ?? (0, 0)
        value = record.value
        self.kind = kind
        (twins, neighbours) = (RingLink(alone: slot), RingLink(alone: slot))
        isSimulated = record.simulated
        let range = Scope.isAddress(record.scope) ? IPRange(unmapping: record.value) : nil
        network = range.map { ($0.first.high, $0.first.low) } ?? (0, 0)
        prefixLength = UInt8(range?.prefixLength ?? 0)
        family = range.map { $0.first.isV6 ? 6 : 4 } ?? 0
    }

    var range: IPRange? {
        switch family {
        case 4: IPRange(IPAddress(v4: UInt32(truncatingIfNeeded: network.low)), prefixLength: Int(prefixLength))
        case 6: IPRange(IPAddress(v6High: network.high, low: network.low), prefixLength: Int(prefixLength))
        default: nil
        }
    }
}

/// A slot's place in a ring of slots; who is alone is its own neighbour.
struct RingLink: Sendable {
    var next: Int32
    var previous: Int32

    init(alone slot: Int) { (next, previous) = (Int32(slot), Int32(slot)) }

    init(next: Int32, previous: Int32) { (self.next, self.previous) = (next, previous) }
}

extension PagedArray<DecisionEntry> {
    @inline(__always)
    mutating func join(_ slot: Int, to other: Int, _ ring: WritableKeyPath<DecisionEntry, RingLink>) {
        let next = self[other][keyPath: ring].next
        self[slot][keyPath: ring] = RingLink(next: next, previous: Int32(other))
        self[other][keyPath: ring].next = Int32(slot)
        self[Int(next)][keyPath: ring].previous = Int32(slot)
    }

    /// - Returns: one of those that are left; nil when there is none.
    @inline(__always)
    mutating func leave(_ slot: Int, _ ring: WritableKeyPath<DecisionEntry, RingLink>) -> Int? {
        let link = self[slot][keyPath: ring]
        guard Int(link.next) != slot else { return nil }
        self[Int(link.next)][keyPath: ring].previous = link.previous
        self[Int(link.previous)][keyPath: ring].next = link.next
        self[slot][keyPath: ring] = RingLink(alone: slot)
        return Int(link.next)
    }
}

/// Scope names as they are stored (protocol facts B.1).
enum Scope {
    /// `ip`, `range`, `as`, `country` in any case get their known form; every other scope stays as it is.
    static func normalized(_ scope: String) -> String {
        switch scope.lowercased() {
        case "ip": "Ip"
        case "range": "Range"
        case "as": "AS"
        case "country": "Country"
        default: scope
        }
    }

    static func isAddress(_ scope: String) -> Bool { scope == "Ip" || scope == "Range" }
}

/// UUIDs as two words instead of 36 bytes of text.
enum UUIDText {
    /// nil for anything but the canonical lower-case form.
    static func parse(_ text: String) -> (high: UInt64, low: UInt64)? {
        var words: (high: UInt64, low: UInt64) = (0, 0)
        var position = 0
        for byte in text.utf8 {
            if position == 8 || position == 13 || position == 18 || position == 23 {
                guard byte == UInt8(ascii: "-") else { return nil }
            } else {
                guard let digit = digit(byte) else { return nil }
                words.high = words.high << 4 | words.low >> 60
                words.low = words.low << 4 | digit
            }
            position += 1
        }
        return position == 36 ? words : nil
    }

    static func text(_ uuid: (high: UInt64, low: UInt64)) -> String {
        withUnsafeTemporaryAllocation(byteCount: 36, alignment: 8) { memory in
            var out = ByteCursor(memory)
            out.putUUID(uuid.high, uuid.low)
            return String(decoding: memory, as: UTF8.self)
        }
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        default: nil
        }
    }
}
