import CrowdCore
import CrowdEngine
import Glibc
import Logging

/// A file that is read once, from its start to its end; gzip is unpacked on the way.
struct WholeFile {
    private let path: String
    private let origin: LineOrigin
    private let maxLine: Int
    private let context: AcquisitionContext

    init(_ path: String, origin: LineOrigin, maxLine: Int, _ context: AcquisitionContext) {
        self.path = path
        self.origin = origin
        self.maxLine = maxLine
        self.context = context
    }

    /// - Throws: when it could not be read to its end; what came before has been handed over.
    func read(into queue: LineQueue, until stop: StopFlag) throws(ConfigError) {
        guard let reader = GzipReader(path) else {
            throw ConfigError("Unable to read \(path): \(systemMessage(errno))")
        }
        let hits = context.metrics.counter(
            .fileSourceHits,
            [("source", "\(origin.source)"), ("datasource_type", "file"), ("acquis_type", origin.type)])
        var cutter = LineCutter(origin, maxLine: maxLine)
        let block = LogReader.makeBlock()
        defer { block.deallocate() }
        func deliver(_ batch: LineBatch?) {
            guard let batch else { return }
            batch.place = .always
            hits.add(UInt64(batch.count))
            _ = queue.put(batch)
        }
        while !stop.isSet {
            guard let count = reader.read(into: block) else {
                throw ConfigError("Reading \(path) failed: it is damaged or cut off; what came before was read")
            }
            if count == 0 { break }
            deliver(cutter.cut(UnsafeBufferPointer(rebasing: block[0..<count])))
        }
        deliver(cutter.rest())
        if cutter.longLines > 0 {
            context.log.warning("\(cutter.longLines) lines of \(path) were longer than \(maxLine) bytes and were cut")
        }
    }
}
