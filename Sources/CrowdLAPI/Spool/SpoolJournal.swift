internal import CrowdCore
internal import Glibc

/// The spool's file: alerts are appended and synced, acknowledgements appended, and the file is cut to nothing when no
/// alert is left, or rewritten (new file, sync, rename) when most of it is acknowledged.
///
/// (1) What `append` returned for is on the disk.
/// (2) A kill or power cut at any byte leaves whole records and at most one torn one at the end; opening keeps every
///     whole one. Rotten bytes in the middle cost the records they are in.
/// (3) An acknowledgement may be lost in a power cut (not in a kill); the alert is then sent again, with the same uuid.
struct SpoolJournal: ~Copyable {
    /// Where a live alert lies.
    struct Entry: Equatable, Sendable {
        var sequence: UInt64
        var offset: Int
        /// Of the payload.
        var length: Int
        var end: Int { offset + length }
    }

    /// Records are gathered to about this much for one system call.
    private static let writeBytes = 256 * 1024

    private let path: String
    private var fd: Int32
    private var end = 0
    private var liveBytes = 0
    private var nextSequence: UInt64 = 1

    /// Rewrite when acknowledged records make up more than this and more than half of the file.
    private let tolerableWaste: Int

    /// Opens or makes the file.
    ///
    /// - Returns: through `recovered`, the alerts that are still to be sent, oldest first, and how many bytes of the
    ///   file made no sense.
    init(
        path: String, tolerableWaste: Int = 32 << 20, recovered: inout (entries: [Entry], damagedBytes: Int)
    ) throws(SpoolError) {
        self.path = path
        self.tolerableWaste = tolerableWaste
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard fd >= 0 else { throw SpoolError("open \(path): \(systemMessage(errno))") }
        var scan = SpoolScan(fd: fd)
        scan.run()
        recovered = (scan.live, scan.damagedBytes)
        end = scan.end
        nextSequence = scan.lastSequence + 1
        liveBytes = scan.live.reduce(0) { $0 + $1.length + SpoolRecord.headerBytes }
        if scan.live.isEmpty { end = 0 }
        ftruncate(fd, off_t(end))
        try? FileContents.sync(FileContents.directory(of: path))
        if scan.damagedBytes > 0 && !scan.live.isEmpty { recovered.entries = try rewrite(scan.live) }
    }

    deinit { close(fd) }

    var bytes: Int { liveBytes }

    /// A number that no alert of this file has or had.
    mutating func takeSequence() -> UInt64 {
        defer { nextSequence += 1 }
        return nextSequence
    }

    /// Writes alerts and syncs them. On failure the file is as before.
    mutating func append(_ alerts: [(sequence: UInt64, alert: EncodedAlert)]) throws(SpoolError) -> [Entry] {
        var entries: [Entry] = []
        entries.reserveCapacity(alerts.count)
        let start = end
        var isWritten = true
        var buffer: [UInt8] = []
        for (number, (sequence, alert)) in alerts.enumerated() where isWritten {
            let offset = end + buffer.count + SpoolRecord.headerBytes
            let length = SpoolRecord.append(alert, sequence: sequence, to: &buffer)
            entries.append(Entry(sequence: sequence, offset: offset, length: length))
            guard buffer.count >= Self.writeBytes || number == alerts.count - 1 else { continue }
            isWritten = write(buffer)
            end += buffer.count
            buffer.removeAll(keepingCapacity: true)
        }
        guard isWritten, fdatasync(fd) == 0 else {
            let reason = systemMessage(errno)
            end = start
            ftruncate(fd, off_t(end))
            throw SpoolError("write \(path): \(reason)")
        }
        liveBytes += end - start
        return entries
    }

    func read(_ entry: Entry) -> EncodedAlert? {
        guard let payload = bytes(at: entry.offset, count: entry.length) else { return nil }
        return SpoolRecord(kind: .alert, sequence: entry.sequence, payload: payload).alert
    }

    /// Calls `body` with the JSON of each alert, nil for one that cannot be read. Alerts that lie one behind the other are
    /// read together.
    func forEachJSON(of entries: [Entry], _ body: (Entry, ArraySlice<UInt8>?) -> Void) {
        var start = 0
        while start < entries.count {
            var end = start + 1
            while end < entries.count, entries[end].offset == entries[end - 1].end + SpoolRecord.headerBytes {
                end += 1
            }
            let first = entries[start].offset
            let block = bytes(at: first, count: entries[end - 1].end - first) ?? []
            for entry in entries[start..<end] {
                // Together they could not be read: each for itself, so that one does not take the others with it.
                let payload =
                    block.isEmpty
                    ? bytes(at: entry.offset, count: entry.length).map { $0[...] }
                    : block[(entry.offset - first)..<(entry.end - first)]
                let json = payload.flatMap { payload in
                    payload.firstIndex(of: 0x0A).map { payload[($0 + 1)...] }
                }
                body(entry, json)
            }
            start = end
        }
    }

    private func bytes(at offset: Int, count: Int) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = max(pread(fd, buffer.baseAddress, count, off_t(offset)), 0)
        }
        return bytes.count == count ? bytes : nil
    }

    /// Marks alerts as done with. `left` are the entries still live; their places may change.
    mutating func acknowledge(_ done: [Entry], left: inout [Entry]) {
        liveBytes -= done.reduce(0) { $0 + $1.length + SpoolRecord.headerBytes }
        if left.isEmpty {
            ftruncate(fd, 0)
            (end, liveBytes) = (0, 0)
            return
        }
        let buffer = acknowledgement(of: done)
        if write(buffer) { end += buffer.count } else { ftruncate(fd, off_t(end)) }
        let waste = end - liveBytes
        if waste > tolerableWaste && waste > liveBytes, let moved = try? rewrite(left) { left = moved }
    }

    /// A record for each run of sequences: one, unless alerts were held back or shed in between.
    private func acknowledgement(of done: [Entry]) -> [UInt8] {
        var buffer: [UInt8] = []
        var run: ClosedRange<UInt64>?
        for entry in done {
            if let known = run, entry.sequence == known.upperBound + 1 {
                run = known.lowerBound...entry.sequence
                continue
            }
            if let run { SpoolRecord.appendAcknowledgement(run, to: &buffer) }
            run = entry.sequence...entry.sequence
        }
        if let run { SpoolRecord.appendAcknowledgement(run, to: &buffer) }
        return buffer
    }

    private func write(_ buffer: [UInt8]) -> Bool {
        var done = 0
        while done < buffer.count {
            let count = buffer.withUnsafeBytes { raw in
                pwrite(fd, raw.baseAddress?.advanced(by: done), buffer.count - done, off_t(end + done))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    /// Copies live records into a new file and puts it in place of this one.
    private mutating func rewrite(_ live: [Entry]) throws(SpoolError) -> [Entry] {
        let temporary = path + ".new"
        let target = open(temporary, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard target >= 0 else { throw SpoolError("open \(temporary): \(systemMessage(errno))") }
        var moved: [Entry] = []
        var offset = 0
        for entry in live {
            let start = entry.offset - SpoolRecord.headerBytes
            guard let record = bytes(at: start, count: entry.length + SpoolRecord.headerBytes) else { continue }
            guard pwrite(target, record, record.count, off_t(offset)) == record.count else { break }
            moved.append(
                .init(sequence: entry.sequence, offset: offset + SpoolRecord.headerBytes, length: entry.length))
            offset += record.count
        }
        guard moved.count == live.count, fdatasync(target) == 0, rename(temporary, path) == 0 else {
            close(target)
            unlink(temporary)
            throw SpoolError("rewrite \(path): \(systemMessage(errno))")
        }
        close(fd)
        (fd, end, liveBytes) = (target, offset, offset)
        return moved
    }
}

/// Why the spool cannot keep an alert.
public struct SpoolError: Error, Equatable, Sendable, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
