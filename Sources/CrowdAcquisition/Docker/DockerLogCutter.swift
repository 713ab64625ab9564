import CrowdCore

/// Cuts the answer to a logs request into lines with the times at which the engine took them.
///
/// The request asks for time stamps, so that each entry begins with one. Without a terminal each entry is one frame: a
/// header of eight bytes (stream number, three zeros, big-endian length), then the entry. The engine splits lines of more
/// than 16 KiB into several entries, of which the last alone ends in a line feed: they are put together again.
///
/// (1) Standard output and error are two texts: a line of one does not get into a line of the other. (2) Of a line longer
/// than `maxLine` the beginning is kept. (3) Both texts together keep at most 2 × `maxLine` and one frame of 1 MiB.
struct DockerLogCutter {
    /// A line as the engine tells it; `bytes` live as long as the call.
    struct Entry {
        /// Nil where the engine told none.
        var time: Timestamp?
        /// Of a service: which of its tasks wrote the line; empty otherwise.
        var task: String
        var line: ByteSlice
    }

    enum Failure: Error, Equatable, CustomStringConvertible {
        case noFrame
        /// The engine could not go on, in its own words.
        case engine(String)

        var description: String {
            switch self {
            case .noFrame: "the log is not framed as the engine announced"
            case .engine(let text): text
            }
        }
    }

    private static let headerBytes = 8
    private static let mostFrameBytes = 1 << 20
    /// Where the engine splits long lines.
    private static let pieceBytes = 16 * 1024
    private static let detailKey = "com.docker.swarm.task.id="

    private struct Text {
        var line: [UInt8] = []
        var isOpen = false
    }

    private let isTTY: Bool
    private let hasDetails: Bool
    private let maxLine: Int
    private var header: [UInt8] = []
    private var frame: [UInt8] = []
    /// Bytes of the frame that are still to come.
    private var missing = 0
    private var texts = [Text(), Text()]

    /// - Parameter hasDetails: entries tell their task behind the time stamp.
    init(isTTY: Bool, hasDetails: Bool, maxLine: Int) {
        self.isTTY = isTTY
        self.hasDetails = hasDetails
        self.maxLine = maxLine
    }

    mutating func feed(_ bytes: ByteSlice, _ body: (Entry) -> Void) throws(Failure) {
        if isTTY { return takeTerminal(bytes, body) }
        var rest = bytes
        while !rest.isEmpty {
            guard missing > 0 else {
                let count = min(Self.headerBytes - header.count, rest.count)
                header += rest[0..<count].buffer
                rest = rest[count..<rest.count]
                if header.count == Self.headerBytes { try beginFrame(body) }
                continue
            }
            let count = min(missing, rest.count)
            frame += rest[0..<min(count, Self.mostFrameBytes - frame.count)].buffer
            missing -= count
            rest = rest[count..<rest.count]
            if missing == 0 { try endFrame(body) }
        }
    }

    private mutating func beginFrame(_ body: (Entry) -> Void) throws(Failure) {
        guard header[0] <= 3, header[1...3].allSatisfy({ $0 == 0 }) else { throw .noFrame }
        missing = header[4...7].reduce(0) { $0 << 8 | Int($1) }
        if missing == 0 { try endFrame(body) }
    }

    private mutating func endFrame(_ body: (Entry) -> Void) throws(Failure) {
        let stream = header[0]
        header.removeAll(keepingCapacity: true)
        let entry = frame
        frame.removeAll(keepingCapacity: frame.capacity <= 64 * 1024)
        guard stream < 3 else { throw .engine(String(decoding: entry, as: UTF8.self)) }
        entry.withUnsafeBufferPointer { take(ByteSlice($0), stream: stream == 2 ? 1 : 0, body) }
    }

    /// One entry: a line, or a piece of one.
    private mutating func take(_ entry: ByteSlice, stream: Int, _ body: (Entry) -> Void) {
        let (time, task, text) = split(entry)
        let isWhole = text.count > 0 && text[text.count - 1] == 10
        let part = text[0..<(isWhole ? text.count - 1 : text.count)]
        guard texts[stream].isOpen || !isWhole else { return body(Entry(time: time, task: task, line: trim(part))) }
        texts[stream].isOpen = true
        texts[stream].line += part[0..<min(part.count, maxLine - texts[stream].line.count)].buffer
        guard isWhole else { return }
        let line = texts[stream].line
        texts[stream] = Text()
        line.withUnsafeBufferPointer { body(Entry(time: time, task: task, line: trim(ByteSlice($0)))) }
    }

    /// With a terminal there are no frames, and both outputs are one text.
    private mutating func takeTerminal(_ bytes: ByteSlice, _ body: (Entry) -> Void) {
        var rest = bytes
        // A line with the time stamps of its pieces.
        let room = maxLine + maxLine / Self.pieceBytes * 40 + 80
        while let end = rest.firstIndex(of: 10) {
            let tail = rest[0..<end]
            frame += tail[0..<min(tail.count, max(room - frame.count, 0))].buffer
            let line = frame
            frame.removeAll(keepingCapacity: true)
            line.withUnsafeBufferPointer { joinPieces(ByteSlice($0), body) }
            rest = rest[(end + 1)..<rest.count]
        }
        frame += rest[0..<min(rest.count, max(room - frame.count, 0))].buffer
    }

    /// Takes the time stamps out from between the pieces of a long line.
    private func joinPieces(_ text: ByteSlice, _ body: (Entry) -> Void) {
        var (time, task, rest) = split(text)
        guard rest.count > Self.pieceBytes else { return body(Entry(time: time, task: task, line: trim(rest))) }
        var line: [UInt8] = []
        while rest.count > Self.pieceBytes {
            line += rest[0..<Self.pieceBytes].buffer
            let next = split(rest[Self.pieceBytes..<rest.count])
            time = next.time ?? time
            rest = next.text
        }
        line += rest.buffer
        line.withUnsafeBufferPointer { body(Entry(time: time, task: task, line: trim(ByteSlice($0)))) }
    }

    /// `2026-11-21T15:04:05.123456789Z [a=b,c=d ]text`
    private func split(_ entry: ByteSlice) -> (time: Timestamp?, task: String, text: ByteSlice) {
        guard let (time, rest) = Self.time(entry) else { return (nil, "", entry) }
        guard hasDetails, let end = rest.firstIndex(of: 32) else { return (time, "", rest) }
        let details = String(rest[0..<end]).split(separator: ",")
        let task = details.first { $0.hasPrefix(Self.detailKey) }?.dropFirst(Self.detailKey.utf8.count) ?? ""
        return (time, String(task), rest[(end + 1)..<rest.count])
    }

    private static func time(_ entry: ByteSlice) -> (Timestamp, ByteSlice)? {
        guard let end = entry[0..<min(entry.count, 40)].firstIndex(of: 32),
            let time = Timestamp(rfc3339Bytes: entry[0..<end].buffer)
        else { return nil }
        return (time, entry[(end + 1)..<entry.count])
    }

    /// Without the space around it, as the reference has it, and within bounds.
    private func trim(_ line: ByteSlice) -> ByteSlice {
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
        var (start, end) = (0, min(line.count, maxLine))
        while end > start, isSpace(line[end - 1]) { end -= 1 }
        while start < end, isSpace(line[start]) { start += 1 }
        return line[start..<end]
    }
}
