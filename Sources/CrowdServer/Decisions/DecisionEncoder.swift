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
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { text in
            var (rest, at) = (value, 20)
            repeat {
                at -= 1
                text[at] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: UnsafeMutableBufferPointer(rebasing: text[at...]))
        }
    }

    private mutating func appendValue(_ value: String) {
        var text = value
        let isPlain = text.withUTF8 { utf8 in
            for byte in utf8 where byte < 0x20 || byte >= 0x7F || byte == 0x22 || byte == 0x5C { return false }
            bytes.append(UInt8(ascii: "\""))
            bytes.append(contentsOf: utf8)
            bytes.append(UInt8(ascii: "\""))
            return true
        }
        guard !isPlain else { return }
        var writer = JSONWriter()
        writer.string(value)
        bytes += writer.bytes
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
