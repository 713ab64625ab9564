import CrowdCore
import NIOCore

/// Writes decisions as bouncers read them, straight into the buffer that is sent: about 30 ns each.
struct DecisionEncoder {
    private let entries: PagedArray<DecisionEntry>
    private let kinds: PagedArray<DecisionKinds.Entry>
    private let now: Int64
    private var lastSeconds: Int64 = .min
    /// As text, without quotes; neighbours in a list often have the same.
    private var lastDuration: [UInt8] = []
    /// They are often of the same kind, too.
    private var lastKind: UInt32?
    private var lastKindJSON: [UInt8] = []

    init(_ view: DecisionView) {
        (entries, kinds, now) = (view.entries, view.kinds, view.now.nanoseconds)
    }

    /// Appends decision objects with commas between them until the buffer holds `limit` bytes.
    ///
    /// - Parameter isContinued: a comma comes first.
    /// - Returns: how many there was room for.
    mutating func append(_ slots: some Collection<Int32>, isContinued: Bool, to buffer: inout ByteBuffer, limit: Int)
        -> Int
    {
        let entries = entries
        var count = 0
        for slot in slots {
            if buffer.readableBytes >= limit { break }
            entries.withElement(Int(slot)) { entry in
                append(entry, withComma: isContinued || count > 0, to: &buffer)
            }
            count += 1
        }
        return count
    }

    private mutating func append(
        _ entry: borrowing DecisionEntry, withComma: Bool, to buffer: inout ByteBuffer
    ) {
        updateDuration(entry.until - now)
        if entry.kind != lastKind { (lastKind, lastKindJSON) = (entry.kind, kinds[Int(entry.kind)].json) }
        var value = entry.value
        let (id, uuid, duration, kind) = (entry.id, entry.uuid, lastDuration, lastKindJSON)
        value.withUTF8 { text in
            guard text.isPlainJSON else {
                return Self.appendEscaped(text, id, uuid, duration, kind, to: &buffer, withComma)
            }
            let room = Self.fixedBytes + duration.count + kind.count + text.count
            buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { raw in
                var out = ByteCursor(raw)
                Self.writeHead(id, uuid, duration, kind, to: &out, withComma)
                out.put("\"")
                out.put(text)
                out.put("\"}")
                return out.count
            }
        }
    }

    /// The rare value that JSON has to escape.
    private static func appendEscaped(
        _ text: UnsafeBufferPointer<UInt8>, _ id: Int64, _ uuid: (high: UInt64, low: UInt64), _ duration: [UInt8],
        _ kind: [UInt8], to buffer: inout ByteBuffer, _ withComma: Bool
    ) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: fixedBytes + duration.count + kind.count) { raw in
            var out = ByteCursor(raw)
            writeHead(id, uuid, duration, kind, to: &out, withComma)
            return out.count
        }
        var writer = JSONWriter()
        writer.string(String(decoding: text, as: UTF8.self))
        buffer.writeBytes(writer.bytes)
        buffer.writeStaticString("}")
    }

    /// More than the punctuation, names, an id and a UUID take.
    private static let fixedBytes = 160

    /// All before the value.
    private static func writeHead(
        _ id: Int64, _ uuid: (high: UInt64, low: UInt64), _ duration: [UInt8], _ kind: [UInt8],
        to out: inout ByteCursor, _ withComma: Bool
    ) {
        out.put(withComma ? ",{\"duration\":\"" : "{\"duration\":\"")
        duration.withUnsafeBufferPointer { out.put($0) }
        out.put("\",\"id\":")
        out.putDecimal(id.magnitude)
        kind.withUnsafeBufferPointer { out.put($0) }
        if uuid != (0, 0) {
            out.put(",\"uuid\":\"")
            out.putUUID(uuid.high, uuid.low)
            out.put("\"")
        }
        out.put(",\"value\":")
    }

    /// Whole seconds, rounded half away from zero.
    private mutating func updateDuration(_ nanoseconds: Int64) {
        let half: Int64 = nanoseconds < 0 ? -500_000_000 : 500_000_000
        let seconds = (nanoseconds + half) / 1_000_000_000
        guard seconds != lastSeconds else { return }
        lastSeconds = seconds
        lastDuration = Array(GoDuration.seconds(seconds).description.utf8)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Printable ASCII without quotes and backslashes.
    fileprivate var isPlainJSON: Bool {
        allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }
}

extension DecisionView {
    /// A plain array, `null` when empty, as `GET /v1/decisions` answers.
    func encodeArray(_ slots: [Int]) -> ByteBuffer {
        guard !slots.isEmpty else { return ByteBuffer(staticString: "null") }
        var buffer = ByteBuffer(staticString: "[")
        var encoder = DecisionEncoder(self)
        _ = encoder.append(slots.lazy.map { Int32($0) }, isContinued: false, to: &buffer, limit: .max)
        buffer.writeStaticString("]")
        return buffer
    }
}
