import CrowdTestSupport
import Glibc
import Synchronization

/// A running daemon of the suite.
final class Service: Sendable {
    private let command: Command
    private let notifications: DatagramReceiver
    private let outputPath: String
    private let status = Mutex<Int32?>(nil)
    private static let count = Atomic(0)

    init(_ arguments: [String], directory: String, environment: [String: String] = [:]) throws {
        let number = Self.count.wrappingAdd(1, ordering: .relaxed).newValue
        outputPath = "\(directory)/output-\(number)"
        notifications = try DatagramReceiver(path: "\(directory)/notify-\(number)")
        command = try Command(
            arguments, log: outputPath,
            environment: environment.merging(["NOTIFY_SOCKET": "\(directory)/notify-\(number)"]) { own, _ in own })
    }

    var output: String { Command.text(outputPath) }

    /// Waits for the service manager's READY; false when it does not come.
    func isReady() -> Bool {
        while let message = notifications.next() {
            if message.split(separator: "\n").contains("READY=1") { return true }
        }
        return false
    }

    /// Asks it to read its configuration again and waits until it has.
    func reload() -> Bool {
        command.signal(SIGHUP)
        return isReady()
    }

    /// Asks it to end; its exit status.
    func stop() -> Int32 { end(SIGTERM) }

    /// The most memory that it had resident so far.
    var peakKilobytes: Int {
        let line = Command.text("/proc/\(command.pid)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    /// Takes the process away without a word.
    func kill() { _ = end(SIGKILL) }

    private func end(_ signal: Int32) -> Int32 {
        status.withLock { status in
            if let status { return status }
            command.signal(signal)
            let code = command.wait()
            status = code
            return code
        }
    }
}
