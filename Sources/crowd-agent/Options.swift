import CrowdCore

/// The command line (surface facts B.11). Flags of the reference's one daemon that are another process' here are
/// accepted and do nothing.
struct Options {
    static let defaultConfig = "/etc/crowdsec/config.yaml"

    var configPath = Self.defaultConfig
    var level: LogLevel?
    var onlyTests = false
    var showsVersion = false
    /// Told to leave out the Local API, as it does anyway.
    var leavesOutServer = false
    /// Read once instead of following the acquisition.
    var dsn: String?
    var type = ""
    var labels: [(String, String)] = []
    var transform: String?
    /// Only print: nothing is sent to the Local API.
    var isDry = false
    /// Where to write what happened to every line.
    var dumpDirectory: String?

    private static let levels = ["trace", "debug", "info", "warning", "error", "fatal"]

    static let flags = CommandLineFlags(
        program: "crowd-agent",
        flags: [.option("c", "file", "configuration file (default \(defaultConfig))")]
            + levels.map { .toggle($0, "log from level \($0) on") }
            + [
                .toggle("t", "test the configuration and exit"), .toggle("version", "print the version and exit"),
                .option("dsn", "url", "read this source once, with the log's own time, and exit"),
                .option("type", "type", "labels.type of the lines read with -dsn"),
                .option("label", "k:v,k:v", "further labels of the lines read with -dsn"),
                .option("transform", "expression", "makes other lines of the lines read with -dsn"),
                .toggle("dry-run", "with -dsn: print alerts, send none"),
                .option("dump-data", "dir", "with -dsn: write there what became of every line, send no alert"),
                .toggle("order-event", "accepted: the order of events is always kept"),
                .toggle("no-api", "ignored: the Local API is crowd-lapi"),
                .toggle("no-cs", "refused: crowd-agent is nothing else"),
                .toggle("no-capi", "ignored: the agent does not use the central API"),
            ])

    struct Refusal: Error, CustomStringConvertible {
        let description: String
        let status: Int32
    }

    init(_ arguments: [String]) throws(Refusal) {
        let values: CommandLineFlags.Values
        do {
            values = try Self.flags.parse(arguments)
        } catch {
            throw Refusal(
                description: error == .help ? Self.flags.usage : "\(error)\n\(Self.flags.usage)",
                status: error.exitStatus)
        }
        configPath = values["c"] ?? configPath
        onlyTests = values.isSet("t")
        showsVersion = values.isSet("version")
        leavesOutServer = values.isSet("no-api")
        // The most verbose one wins.
        level = Self.levels.first { values.isSet($0) }.flatMap { LogLevel($0) }
        dsn = values["dsn"]
        type = values["type"] ?? ""
        transform = values["transform"]
        isDry = values.isSet("dry-run")
        dumpDirectory = values["dump-data"]
        try check(values)
        for part in (values["label"] ?? "").split(separator: ",") {
            let sides = part.split(separator: ":", maxSplits: 1).map(String.init)
            guard sides.count == 2 else {
                throw Refusal(description: "invalid label '\(part)': name:value expected", status: 1)
            }
            labels.append((sides[0], sides[1]))
        }
    }

    private func check(_ values: CommandLineFlags.Values) throws(Refusal) {
        func refuse(_ text: String) -> Refusal { Refusal(description: text, status: 1) }
        if values.isSet("no-cs") { throw refuse("you must run at least the API Server or crowdsec") }
        if dsn != nil, type.isEmpty { throw refuse("-dsn requires a -type argument") }
        if dsn == nil, !type.isEmpty { throw refuse("-type requires a -dsn argument") }
        if dsn == nil, transform != nil { throw refuse("-transform requires a -dsn argument") }
        if dsn == nil, dumpDirectory != nil { throw refuse("-dump-data requires a -dsn argument") }
        if dsn == nil, isDry { throw refuse("-dry-run requires a -dsn argument") }
    }
}
