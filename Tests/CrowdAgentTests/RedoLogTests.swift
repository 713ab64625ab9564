import CrowdAcquisition
import CrowdCore
import CrowdEngine
import CrowdTestSupport
import Testing

@testable import CrowdAgent

@Suite("Redo log") struct RedoLogTests {
    /// Lines of a source that cannot be read again, in three batches.
    private static let lines: [[[UInt8]]] = [
        [Array("one".utf8), [], [0, 0xFF, 10, 13]],
        [],
        [Array(repeating: UInt8(ascii: "x"), count: 5_000), Array("last".utf8)],
    ]

    private func write(_ path: String, generation: UInt64 = 7, over spare: String? = nil) throws -> [Int] {
        let origin = LineOrigin(source: "s", module: "syslog", labels: [("type", "t")], isReplay: false)
        var log = try RedoLog(path: path, generation: generation, spare: spare)
        var ends: [Int] = []
        try log.append(.origin(0, origin))
        ends.append(log.bytes)
        for lines in Self.lines {
            let batch = LineBatch(origin, capacity: lines.reduce(0) { $0 + $1.count })
            for line in lines { line.withUnsafeBufferPointer { batch.append(ByteSlice($0)) } }
            let redo = RedoBatch(origin: 0, time: batch.time, isLate: false, place: .none, source: batch)
            try log.append(.batch(redo))
            ends.append(log.bytes)
        }
        try log.append(.raised(["a", "b"]))
        return ends + [log.bytes]
    }

    /// What each record is, in short.
    private func found(in path: String, generation: UInt64 = 7) -> [String] {
        RedoLog.records(of: path, generation: generation).map { record in
            switch record {
            case .origin(let number, let origin): "origin \(number) \(String(origin.source)) \(origin.type)"
            case .batch(let batch): "batch \(batch.lines)"
            case .raised(let uuids): "raised \(uuids)"
            }
        }
    }

    private static let expected = ["origin 0 s t"] + lines.map { "batch \($0)" } + ["raised [\"a\", \"b\"]"]

    @Test func recordsComeBackAsTheyWere() throws {
        let folder = try TemporaryDirectory()
        _ = try write(folder.path + "/redo")
        #expect(found(in: folder.path + "/redo") == Self.expected)
    }

    /// A kill or a power cut leaves the whole records before the place, and nothing else.
    @Test func aCutCostsWhatWasNotFinished() throws {
        let folder = try TemporaryDirectory()
        let ends = try write(folder.path + "/redo")
        let whole = try FileContents.read(folder.path + "/redo")
        for length in Array(0..<200) + Array(stride(from: 200, to: whole.count, by: 13)) + [whole.count] {
            let cut = try folder.write("cut", Array(whole[..<length]))
            let complete = ends.filter { $0 <= length }.count
            #expect(found(in: cut) == Array(Self.expected.prefix(complete)), "cut at \(length)")
            // Room that was never written reads as zeros, which may be what should be there.
            let padded = Array(whole[..<length]) + [UInt8](repeating: 0, count: 64)
            let right = ends.filter { $0 <= padded.count && padded[..<$0] == whole[..<$0] }.count
            let hole = try folder.write("hole", padded)
            #expect(found(in: hole) == Array(Self.expected.prefix(right)), "zeros from \(length)")
        }
    }

    @Test func aRottenByteEndsTheRecordsBeforeIt() throws {
        let folder = try TemporaryDirectory()
        let ends = try write(folder.path + "/redo")
        let whole = try FileContents.read(folder.path + "/redo")
        for place in Array(0..<200) + Array(stride(from: 200, to: whole.count, by: 13)) {
            var bytes = whole
            bytes[place] ^= 0x10
            let rotten = try folder.write("rotten", bytes)
            let complete = ends.filter { $0 <= place }.count
            #expect(found(in: rotten) == Array(Self.expected.prefix(complete)), "byte \(place)")
        }
    }

    /// The records of the file's last use are there up to the byte, and are not taken for this one's.
    @Test func aFileThatIsWrittenOverHasItsNewRecordsOnly() throws {
        let folder = try TemporaryDirectory()
        let (old, new) = (folder.path + "/redo.spare", folder.path + "/redo.8")
        let ends = try write(old)
        var log: RedoLog? = try RedoLog(path: new, generation: 8, spare: old)
        #expect(!FileContents.exists(old))
        #expect(found(in: new, generation: 8) == [])
        #expect(found(in: new) == Self.expected)
        try log?.append(.origin(0, LineOrigin(source: "s", module: "syslog", labels: [("type", "t")], isReplay: false)))
        log = nil
        #expect(found(in: new, generation: 8) == Array(Self.expected.prefix(1)))
        #expect(try FileContents.read(new).count == ends.last)
        _ = try write(new, generation: 9)
        #expect(found(in: new, generation: 9) == Self.expected)
    }
}
