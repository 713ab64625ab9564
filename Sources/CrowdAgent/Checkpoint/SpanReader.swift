import CrowdAcquisition
import CrowdCore
import CrowdEngine

/// Reads spans of log files again, wherever the files are now.
final class SpanReader {
    private var files: [FileKey: SpanFile] = [:]
    /// Spans whose file is gone or has other contents now.
    private(set) var missing = 0

    private struct FileKey: Hashable {
        var device: UInt64
        var inode: UInt64
    }

    /// The lines of a span, cut as they were the first time; nil when they cannot be read any more.
    func lines(of span: FileSpan, origin: LineOrigin, time: Timestamp) -> LineBatch? {
        if span.start == span.end.offset { return LineBatch(origin, capacity: 0, time: time) }
        let key = FileKey(device: span.end.device, inode: span.end.inode)
        if files[key] == nil { files[key] = SpanFile(span.end) }
        guard let batch = files[key]?.batch(of: span, origin: origin, time: time) else {
            missing += 1
            return nil
        }
        return batch
    }
}
