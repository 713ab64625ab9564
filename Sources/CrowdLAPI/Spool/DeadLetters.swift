internal import CrowdCore
internal import Glibc

/// Alerts that the Local API will not take, one JSON object per line: when, why, and the alert itself.
struct DeadLetters: Sendable {
    let path: String
    /// A longer file is renamed to `.1` first, so that at most twice this is kept.
    var maxBytes = 32 * 1024 * 1024

    /// - Throws: `SpoolError` if it could not be written and synced; the alert then stays in the spool.
    func add(_ alert: EncodedAlert, status: Int, reason: String, at time: Timestamp) throws(SpoolError) {
        var writer = JSONWriter(capacity: alert.json.count + 256)
        writer.beginObject()
        writer.member("refused_at", time.rfc3339)
        writer.member("status", status)
        writer.member("reason", reason)
        writer.member("uuid", alert.uuid)
        writer.key("alert")
        writer.raw(alert.json)
        writer.endObject()
        let line = writer.bytes + [UInt8(ascii: "\n")]
        rotate(before: line.count)
        let fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard fd >= 0 else { throw SpoolError("open \(path): \(systemMessage(errno))") }
        defer { close(fd) }
        guard write(fd, line, line.count) == line.count, fdatasync(fd) == 0 else {
            throw SpoolError("write \(path): \(systemMessage(errno))")
        }
    }

    private func rotate(before count: Int) {
        var status = stat()
        guard stat(path, &status) == 0, Int(status.st_size) + count > maxBytes else { return }
        rename(path, path + ".1")
    }
}
