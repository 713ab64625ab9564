import CrowdCore
import Glibc

/// `crowd-agent`: reads logs, detects, reports.
@main struct Main {
    /// Plain, not async: the main thread waits for signals, the work is done on others.
    static func main() {
        let signals = SignalEvents()
        let options: Options
        do {
            options = try Options(Array(CommandLine.arguments.dropFirst()))
        } catch {
            end(error.description, status: error.status)
        }
        if options.showsVersion { end(SuiteVersion.report, status: 0) }
        do {
            exit(try Agent(options: options, signals: signals).run())
        } catch {
            SuiteLogging.fatal("\(error)")
            exit(1)
        }
    }

    private static func end(_ text: String, status: Int32) -> Never {
        let line = Array((text.hasSuffix("\n") ? text : text + "\n").utf8)
        _ = write(status == 0 ? 1 : 2, line, line.count)
        exit(status)
    }
}
