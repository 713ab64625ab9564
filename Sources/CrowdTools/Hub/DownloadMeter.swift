import Glibc
import Synchronization

/// The bytes of a download on the last line of a terminal; silent where nobody looks.
final class DownloadMeter: Sendable {
    private struct State {
        var shown = 0
        var isVisible = false
    }

    /// A line for every step of this size.
    private static let step = 256 * 1024

    private let isActive = isatty(2) == 1
    private let state = Mutex(State())

    func show(_ bytes: Int) {
        guard isActive else { return }
        state.withLock { state in
            guard bytes < state.shown || bytes - state.shown >= Self.step else { return }
            state.shown = bytes
            state.isVisible = true
            Terminal.progress("\r  \(bytes / 1024) KiB ")
        }
    }

    func clear() {
        state.withLock { state in
            if state.isVisible { Terminal.progress("\r\u{1B}[K") }
            state = State()
        }
    }
}
