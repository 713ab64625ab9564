import CrowdCore
import CrowdServer
import Glibc

/// `crowd-lapi`: the Local API.
@main struct Main {
    static func main() async {
        // Before any other thread exists: signals are taken out by waiting for them.
        let signals = SignalEvents()
        let status = await Task.detached { await Daemon(signals: signals).run(CommandLine.arguments) }.value
        exit(status)
    }
}
