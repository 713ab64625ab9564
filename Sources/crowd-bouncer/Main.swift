import CrowdCore
import CrowdFirewall
import Glibc
import Logging

/// The firewall bouncer's program: flags, logging, signals; everything else is `FirewallBouncer`.
@main struct Main {
    static let flags = CommandLineFlags(
        program: "crowd-bouncer",
        flags: [
            .option("c", "string", "path to crowdsec-firewall-bouncer.yaml"),
            .toggle("v", "set verbose mode"),
            .toggle("V", "display version and exit"),
            .toggle("version", "display version and exit"),
            .toggle("t", "test config and exit"),
            .toggle("T", "show full config (.yaml + .yaml.local) and exit"),
        ])

    /// Plain, not async: the main thread waits for signals, the work is done on others.
    static func main() {
        let signals = SignalEvents()
        if let status = Questions.answer(Array(CommandLine.arguments.dropFirst())) { exit(status) }
        let values: CommandLineFlags.Values
        do {
            values = try flags.parse(Array(CommandLine.arguments.dropFirst()))
        } catch {
            end(error == .help ? flags.usage + Questions.usage : "\(error)\n\(flags.usage)", status: error.exitStatus)
        }
        if values.isSet("V") || values.isSet("version") { end("version: \(SuiteVersion.current)\n", status: 0, to: 1) }
        guard let path = values["c"] else { end("configuration file is required\n", status: 1) }
        do {
            if values.isSet("T") { end(try ConfigFile.load(path).yamlText, status: 0, to: 1) }
            let program = BouncerProgram(path: path, isVerbose: values.isSet("v"))
            try values.isSet("t") ? program.test() : program.run(signals)
        } catch {
            end("level=fatal msg=\"\(error)\"\n", status: 1)
        }
        exit(0)
    }

    private static func end(_ text: String, status: Int32, to descriptor: Int32 = 2) -> Never {
        let bytes = Array(text.utf8)
        _ = write(descriptor, bytes, bytes.count)
        exit(status)
    }
}
