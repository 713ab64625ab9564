import CrowdCore
import CrowdServer
import Glibc

/// `crowd-lapi`: the Local API.
@main struct Main {
    /// Not async: the runtime's own main loop would take signals that nobody waits for.
    static func main() {
        let signals = SignalEvents()
        Task.detached { exit(await Daemon(signals: signals).run(CommandLine.arguments)) }
        while true { pause() }
    }
}
