internal import CCurl
internal import CrowdCore
internal import Synchronization

/// libcurl's multi interface on one thread.
///
/// (1) Only the thread touches `multi` and running transfers; others put commands into the mailbox and wake it.
/// (2) Every transfer that `start` accepted ends exactly once: done, failed, cancelled, or stopped.
///
/// ```
/// start ──► mailbox ──► running ──► end
/// cancel ──────┴────────────┘        ▲
/// stop ──► all that is left ─────────┘
/// ```
///
/// `@unchecked Sendable`: by (1); `curl_multi_wakeup` is documented as safe from any thread, and `multi` outlives the
/// last call because it is freed in `deinit`.
final class CurlLoop: @unchecked Sendable {
    private enum Command {
        case start(Transfer, Transfer.OnEnd)
        case cancel(Transfer)
        case stop
    }

    private struct Mailbox {
        var commands: [Command] = []
        var isRunning = false
    }

    private let multi: UnsafeMutableRawPointer?
    private let mailbox = Mutex(Mailbox())
    /// Keyed by libcurl's handle. The thread's own.
    private var running: [UnsafeMutableRawPointer: Transfer] = [:]

    private static let initialised: Void = { curl_global_init(Int(CURL_GLOBAL_DEFAULT)) }()

    init() {
        _ = Self.initialised
        multi = curl_multi_init()
    }

    deinit { curl_multi_cleanup(multi) }

    func start(_ transfer: Transfer, onEnd: @escaping Transfer.OnEnd) { post(.start(transfer, onEnd)) }
    func cancel(_ transfer: Transfer) { post(.cancel(transfer)) }
    func stop() { post(.stop) }

    private func post(_ command: Command) {
        let needsThread = mailbox.withLock { box in
            box.commands.append(command)
            defer { box.isRunning = true }
            return !box.isRunning
        }
        if needsThread { PlainThread.start("http") { self.run() } } else { curl_multi_wakeup(multi) }
    }

    private func run() {
        while true {
            let commands = mailbox.withLock { box in
                defer { box.commands = [] }
                return box.commands
            }
            for command in commands where !obey(command) { return end() }
            var active: Int32 = 0
            curl_multi_perform(multi, &active)
            collect()
            // Woken by traffic, libcurl's own timers, or a command; the limit is only a safety net.
            curl_multi_poll(multi, nil, 0, 60_000, nil)
        }
    }

    /// False when the loop is to stop.
    private func obey(_ command: Command) -> Bool {
        switch command {
        case .start(let transfer, let onEnd): begin(transfer, onEnd)
        case .cancel(let transfer):
            if let easy = transfer.easy, running.removeValue(forKey: easy) != nil {
                curl_multi_remove_handle(multi, easy)
            }
            transfer.cancel()
        case .stop: return false
        }
        return true
    }

    private func begin(_ transfer: Transfer, _ onEnd: @escaping Transfer.OnEnd) {
        guard transfer.begin(onEnd) else { return }
        guard transfer.prepare(), let easy = transfer.easy else {
            return transfer.end(.invalidRequest("libcurl refused the request's settings"))
        }
        guard curl_multi_add_handle(multi, easy) == CURLM_OK else { return transfer.end(.broken("libcurl is full")) }
        running[easy] = transfer
    }

    private func collect() {
        var code = CURLE_OK
        while let easy = crowd_curl_finished(multi, &code) {
            guard let transfer = running.removeValue(forKey: easy) else { continue }
            curl_multi_remove_handle(multi, easy)
            transfer.end(code)
        }
    }

    private func end() {
        for (easy, transfer) in running {
            curl_multi_remove_handle(multi, easy)
            transfer.end(.cancelled)
        }
        running = [:]
    }
}
