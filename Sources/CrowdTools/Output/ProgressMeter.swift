import Glibc
import Synchronization

/// How far something long has come, on the last line of a terminal; silent where nobody looks.
final class ProgressMeter: Sendable {
    private struct State {
        var shown = 0
        var isVisible = false
    }

    /// Bytes between two looks at a download.
    private static let step = 256 * 1024
    private static let width = 30

    private let isActive = isatty(2) == 1
    private let state = Mutex(State())

    /// A download whose length nobody knows.
    func show(bytes: Int) {
        guard isActive else { return }
        state.withLock { state in
            guard bytes < state.shown || bytes - state.shown >= Self.step else { return }
            state.shown = bytes
            state.isVisible = true
            Terminal.progress("\r  \(bytes / 1024) KiB ")
        }
    }

    /// A bar: `[######········] 40 of 100`.
    func show(_ done: Int, of total: Int) {
        guard isActive, total > 0 else { return }
        state.withLock { state in
            state.isVisible = true
            Terminal.progress("\r  \(Self.bar(done, of: total)) \(done) of \(total) ")
        }
    }

    /// A count whose end nobody knows: `12000 alerts deleted`.
    func show(_ done: Int, _ what: String) {
        guard isActive, done > 0 else { return }
        state.withLock { $0.isVisible = true }
        Terminal.progress("\r  \(done) \(what) ")
    }

    static func bar(_ done: Int, of total: Int) -> String {
        let filled = total > 0 ? min(width, max(0, done * width / total)) : 0
        return "[" + String(repeating: "#", count: filled) + String(repeating: "·", count: width - filled) + "]"
    }

    func clear() {
        state.withLock { state in
            if state.isVisible { Terminal.progress("\r\u{1B}[K") }
            state = State()
        }
    }
}
