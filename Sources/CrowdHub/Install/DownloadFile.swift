import CrowdCore
import CrowdHTTP
import Glibc
import Synchronization

/// A file being downloaded: fresh, written as pieces arrive, removed when released unless it was finished.
///
/// (1) `count` is what lies in the file and belongs to the answer whose `validator` is kept.
/// (2) An answer other than 206 starts over: what an earlier one left is cut off.
final class DownloadFile: Sendable {
    private struct State {
        var count = 0
        var validator: String?
        var fault: HubError?
        var isFinished = false
    }

    private let path: String
    private let descriptor: Int32
    private let progress: DownloadProgress
    private let state = Mutex(State())

    init(_ path: String, _ progress: @escaping DownloadProgress) throws(HubError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw .file("open \(path): \(systemMessage(errno))") }
        self.path = path
        self.progress = progress
    }

    deinit {
        close(descriptor)
        if !state.withLock(\.isFinished) { unlink(path) }
    }

    var count: Int { state.withLock(\.count) }
    var validator: String? { state.withLock(\.validator) }
    /// Why the file could not be written.
    var fault: HubError? { state.withLock(\.fault) }

    /// The head of an answer with a body.
    func begin(_ answer: HTTPResponse) {
        state.withLock { state in
            guard answer.status != 206 else { return }
            ftruncate(descriptor, 0)
            lseek(descriptor, 0, SEEK_SET)
            state.count = 0
            let strong = answer["etag"].flatMap { $0.hasPrefix("W/") ? nil : $0 }
            state.validator = answer["content-encoding"] == nil ? strong ?? answer["last-modified"] : nil
        }
    }

    /// False breaks the transfer off.
    func append(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        state.withLock { state in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let written = write(descriptor, rest.baseAddress, rest.count)
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else {
                    state.fault = .file("write \(path): \(systemMessage(errno))")
                    return false
                }
                rest = UnsafeRawBufferPointer(rebasing: rest[written...])
            }
            state.count += bytes.count
            progress(state.count)
            return true
        }
    }

    /// The file is whole and on the disk.
    func finish() throws(HubError) {
        guard fsync(descriptor) == 0 else { throw .file("write \(path): \(systemMessage(errno))") }
        state.withLock { $0.isFinished = true }
    }
}
