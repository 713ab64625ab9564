import CrowdCore
import Glibc

/// The command line (surface facts B.11). Flags of the reference's one daemon that are another process' here are
/// accepted and do nothing.
struct Options {
    static let defaultConfig = "/etc/crowdsec/config.yaml"

    var configPath = Self.defaultConfig
    var level: LogLevel?
    var onlyTests = false
    var showsVersion = false
    /// Told to leave out the only thing that it does.
    var leavesOutServer = false
    /// Told to leave out the agent, as it does anyway.
    var leavesOutAgent = false

    private static let levels = ["trace", "debug", "info", "warning", "error", "fatal"]

    static let flags = CommandLineFlags(
        program: "crowd-lapi",
        flags: [.option("c", "file", "configuration file (default \(defaultConfig))")]
            + levels.map { .toggle($0, "log from level \($0) on") }
            + [
                .toggle("t", "test the configuration and exit"), .toggle("version", "print the version and exit"),
                .toggle("no-cs", "ignored: the agent is crowd-agent"), .toggle("no-capi", "do not use the central API"),
                .toggle("no-api", "refused: crowd-lapi is nothing else"),
            ])

    init(_ arguments: [String]) throws(CommandLineFlags.Refusal) {
        let values = try Self.flags.parse(arguments)
        configPath = values["c"] ?? configPath
        onlyTests = values.isSet("t")
        showsVersion = values.isSet("version")
        leavesOutServer = values.isSet("no-api")
        leavesOutAgent = values.isSet("no-cs")
        // The most verbose one wins.
        level = Self.levels.first { values.isSet($0) }.flatMap { LogLevel($0) }
    }
}
