import CrowdCore
import CrowdEngine

/// Cuts one open file into batches of lines, each with the place it ends at.
final class LogReader {
    private static let blockSize = 256 * 1024

    let file: LogFile
    private var cutter: LineCutter
    /// Behind the last line that was handed over.
    private var accounted: Int64

    /// - Parameter cutter: with the beginning of a line, when the file goes on where another one ended.
    init(_ file: LogFile, at offset: Int64, _ cutter: LineCutter) {
        self.file = file
        self.cutter = cutter
        file.seek(to: offset)
        accounted = offset
    }

    enum Outcome {
        /// At its end.
        case nothing
        /// So many bytes, and the lines that they completed.
        case read(Int, LineBatch?)
        /// It is no longer the file that was read.
        case emptied
    }

    /// The next block. `block` is room for it, shared by all readers of a thread.
    func read(_ path: String, block: UnsafeMutableBufferPointer<UInt8>) throws(SystemError) -> Outcome {
        let isLate = file.isLate
        guard let bytes = try file.read(into: block) else { return .emptied }
        guard !bytes.isEmpty else { return .nothing }
        let batch = cutter.cut(bytes)
        if let batch {
            let end = file.offset - cutter.pendingBytes
            batch.isLate = isLate
            batch.place = .file(
                FileSpan(start: accounted, end: file.position(of: path, at: end), maxLine: cutter.maxLine))
            accounted = end
        }
        return .read(bytes.count, batch)
    }

    /// Behind the last complete line.
    func position(of path: String) -> FilePosition { file.position(of: path, at: accounted) }

    /// What is remembered of the file once it is left.
    var place: KnownPlace? { file.place(pending: cutter.pendingBytes) }

    var longLines: Int { cutter.longLines }

    static func makeBlock() -> UnsafeMutableBufferPointer<UInt8> { .allocate(capacity: blockSize) }
}
