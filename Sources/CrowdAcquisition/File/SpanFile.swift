public import CrowdCore
public import CrowdEngine

/// A log file from which spans are read again after a restart: under its name, or beside it if it was rotated.
public final class SpanFile {
    private let file: LogFile

    /// nil when the file of that position is nowhere to be found.
    public init?(_ position: FilePosition) {
        guard let holder = RotatedFiles.holder(of: position, named: try? LogFile(position.path)) else { return nil }
        file = holder
    }

    /// nil when the file does not reach as far.
    public func batch(of span: FileSpan, origin: LineOrigin, time: Timestamp) -> LineBatch? {
        let count = Int(span.end.offset - span.start)
        guard count > 0, count < 1 << 30 else { return nil }
        let bytes = file.bytes(at: span.start, count: count)
        guard bytes.count == count else { return nil }
        var cutter = LineCutter(origin, maxLine: span.maxLine)
        return bytes.withUnsafeBufferPointer { cutter.cut($0, at: time) } ?? LineBatch(origin, capacity: 1, time: time)
    }
}
