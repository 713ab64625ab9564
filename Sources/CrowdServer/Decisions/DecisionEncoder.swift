import CrowdCore

/// Writes decisions as bouncers read them: about 60 ns each, most of it copying.
struct DecisionEncoder {
    private let view: DecisionView
    private var lastSeconds: Int64 = .min
    private var lastDuration: [UInt8] = []
    var bytes: [UInt8] = []

    init(_ view: DecisionView) { self.view = view }

    /// Appends one decision object.
    mutating func append(_ slot: Int) {
        let entry = view.entries[slot]
        literal("{\"duration\":\"")
        appendDuration(entry.until - view.now.nanoseconds)
        literal("\",\"id\":")
        appendDecimal(UInt64(entry.id))
        bytes += view.kinds[entry.kind].json
        if entry.uuid != (0, 0) {
            literal(",\"uuid\":\"")
            UUIDText.append(entry.uuid, to: &bytes)
            bytes.append(UInt8(ascii: "\""))
        }
        literal(",\"value\":")
        appendValue(entry.value)
        bytes.append(UInt8(ascii: "}"))
    }

    mutating func literal(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Whole seconds, rounded half away from zero; neighbours in a list often have the same.
    private mutating func appendDuration(_ nanoseconds: Int64) {
        let half: Int64 = nanoseconds < 0 ? -500_000_000 : 500_000_000
        let seconds = (nanoseconds + half) / 1_000_000_000
        if seconds != lastSeconds {
            lastSeconds = seconds
            lastDuration = Array(GoDuration.seconds(seconds).description.utf8)
        }
        bytes += lastDuration
    }

    private mutating func appendDecimal(_ value: UInt64) {
        var rest = value
        let start = bytes.count
        repeat {
            bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        bytes[start...].reverse()
    }

    private mutating func appendValue(_ value: String) {
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) else {
            var writer = JSONWriter()
            writer.string(value)
            bytes += writer.bytes
            return
        }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: value.utf8)
        bytes.append(UInt8(ascii: "\""))
    }
}

extension DecisionView {
    /// A plain array, `null` when empty, as `GET /v1/decisions` answers.
    func encodeArray(_ slots: [Int]) -> [UInt8] {
        var encoder = DecisionEncoder(self)
        guard !slots.isEmpty else { return Array("null".utf8) }
        for (index, slot) in slots.enumerated() {
            encoder.literal(index == 0 ? "[" : ",")
            encoder.append(slot)
        }
        encoder.literal("]")
        return encoder.bytes
    }
}
