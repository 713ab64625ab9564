import CrowdCore
import CrowdHub
import CrowdLAPI
import Glibc

/// `cscli`: finds the command, reads the flags, runs it and says what went wrong.
public struct Cscli: Sendable {
    static let defaultConfig = "/etc/crowdsec/config.yaml"
    private static let levels: [(flag: String, level: LogLevel)] = [
        ("trace", .trace), ("debug", .debug), ("info", .info), ("warning", .warning), ("error", .error),
    ]

    public init() {}

    /// Every command there is. A group is a folder of this room.
    static let root: Command = Command(
        name: "cscli", summary: "cscli allows you to manage crowdsec",
        flags: [
            .text("config", "c", "path to crowdsec config file", default: defaultConfig),
            .text("output", "o", "Output format: human, json, raw"),
            .text("color", nil, "Output color: yes, no, auto", default: "auto"),
            .toggle("trace", nil, "Set logging to trace"), .toggle("debug", nil, "Set logging to debug"),
            .toggle("info", nil, "Set logging to info"), .toggle("warning", nil, "Set logging to warning"),
            .toggle("error", nil, "Set logging to error"),
            .text("branch", nil, "Override hub branch on github").hidden,
        ],
        subcommands: [
            .alerts, .allowlists, .bouncers, .completion, .config, .dashboard, .decisions, .doc, .explain, .expr, .help,
            .hub, .hubtest, .lapi, .machines, .metrics, .setup, .simulation, .support,
            .version,
        ] + Command.centralAPI + ItemType.allCases.map { .items($0) })

    /// - Parameter arguments: without the program's name.
    /// - Returns: the exit status, 0 or 1.
    public func run(_ arguments: [String]) async -> Int32 {
        var terminal = Terminal()
        if let index = arguments.firstIndex(of: "__complete") {
            return complete(Array(arguments[..<index] + arguments[(index + 1)...]))
        }
        let parser = CommandParser(root: Self.root)
        if parser.pathText(of: arguments) == "cscli help", let index = arguments.firstIndex(of: "help") {
            let rest = Array(arguments[..<index] + arguments[(index + 1)...])
            if let topic = parser.unknownTopic(in: rest) { terminal.note("Unknown help topic [`\(topic)`]") }
            return await run(rest + ["--help"])
        }
        let parsed: CommandParser.Result
        do { parsed = try parser.parse(arguments) } catch {
            terminal.error("\(parser.pathText(of: arguments)): \(error.message)")
            return 1
        }
        let help = CommandHelp(path: parsed.path)
        guard !parsed.wantsHelp, let action = parsed.command.action else { return group(parsed, help, terminal) }
        if let refusal = parsed.command.arguments.refusal(of: parsed.words, for: parsed.pathText) {
            terminal.print(help.text)
            terminal.error("\(parsed.pathText): \(refusal)")
            return 1
        }
        if let missing = parsed.missingFlags {
            terminal.error("\(parsed.pathText): \(missing)")
            return 1
        }
        var call: Invocation?
        do {
            let invocation = try invocation(for: parsed, &terminal)
            call = invocation
            try await action(invocation)
            return 0
        } catch {
            if let error = error as? CommandError, error.showsHelp { terminal.print(help.text) }
            terminal.error("\(parsed.pathText): \(Self.sentence(error, call))")
            return 1
        }
    }

    /// The Local API's own words, without the status that only programs need.
    private static func sentence(_ error: any Error, _ call: Invocation?) -> String {
        switch error {
        case LAPIError.refused(_, let message): "API error: \(message)"
        case LAPIError.unreachable(let fault):
            if let endpoint = try? call?.credentials().endpoint {
                "performing request: could not get jwt token: \(GoNetworkError.logIn(fault, at: endpoint))"
            } else {
                "performing request: \(fault)"
            }
        default: "\(error)"
        }
    }

    /// `cscli __complete WORD...`: candidates for the last word, one a line, then `:4` (no file names).
    private func complete(_ arguments: [String]) -> Int32 {
        var terminal = Terminal()
        terminal.level = .fatal
        let prefix = arguments.last ?? ""
        if prefix.hasPrefix("-") {
            for candidate in flags(prefix, Array(arguments.dropLast())) { terminal.print(candidate) }
        } else if let parsed = try? CommandParser(root: Self.root).parse(Array(arguments.dropLast())) {
            let children = parsed.command.subcommands.filter { !$0.isHidden }.map(\.name).sorted()
            var candidates = parsed.words.isEmpty ? children : []
            if let names = parsed.command.completion?.names, let call = try? invocation(for: parsed, &terminal) {
                candidates += ((try? names(call)) ?? []).filter { !parsed.words.contains($0) }
            }
            for candidate in candidates where candidate.hasPrefix(prefix) { terminal.print(candidate) }
        }
        terminal.print(":4")
        return 0
    }

    /// The flags that begin so, each with what it does behind a tab.
    private func flags(_ prefix: String, _ before: [String]) -> [String] {
        guard let parsed = try? CommandParser(root: Self.root).parse(before) else { return [] }
        return parsed.path.flatMap(\.flags).filter { !$0.isHidden && "--\($0.name)".hasPrefix(prefix) }
            .map { "--\($0.name)\t\($0.help)" }.sorted()
    }

    /// A group prints its help; an unknown word below it is an error, and of the root's that is all that is said.
    private func group(_ parsed: CommandParser.Result, _ help: CommandHelp, _ terminal: Terminal) -> Int32 {
        if parsed.path.count == 1, !parsed.wantsHelp, let word = parsed.words.first {
            let nearest = Suggestions(for: word, among: Self.root.subcommands).text
            terminal.error("unknown command \"\(word)\" for \"cscli\"" + nearest)
            return 1
        }
        terminal.print(help.text, terminator: "")
        guard !parsed.wantsHelp, let word = parsed.words.first else { return 0 }
        terminal.print("")
        terminal.error("unknown command \"\(word)\" for \"\(parsed.pathText)\"")
        return 1
    }

    /// What the configuration says of colours, unless the command line does.
    private static func color(of config: SuiteConfig?) -> String {
        guard let color = config?.cscli.color, !color.isEmpty else { return "auto" }
        return color
    }

    private func invocation(for parsed: CommandParser.Result, _ terminal: inout Terminal) throws -> Invocation {
        let path = parsed.flags.text("config")
        let config = parsed.path.allSatisfy(\.needsConfig) ? try SuiteConfig.load(path: path) : nil
        let color = parsed.flags.isGiven("color") ? parsed.flags.text("color") : Self.color(of: config)
        guard ["yes", "no", "auto"].contains(color) else {
            throw CommandError("output color '\(color)' not supported: must be one of yes, no, auto")
        }
        if color != "auto" { terminal.isColored = color == "yes" }
        if color == "no" { setenv("NO_COLOR", "1", 1) }
        if color == "yes" {
            unsetenv("NO_COLOR")
            setenv("CLICOLOR_FORCE", "1", 1)
        }
        if getenv("NO_COLOR") != nil { terminal.isColored = false }
        let format = parsed.flags.nonEmpty("output") ?? config?.cscli.output.rawValue ?? "human"
        guard let output = Invocation.Output(rawValue: format) else {
            throw CommandError("output format '\(format)' not supported: must be one of human, json, raw")
        }
        terminal.level = Self.levels.first { parsed.flags.isOn($0.flag) }?.level ?? .info
        terminal.logsJSON = output == .json
        // Progress would spoil what a program reads.
        if output != .human { terminal.level = .error }
        return Invocation(
            flags: parsed.flags, words: parsed.words, output: output, terminal: terminal, configPath: path,
            config: config)
    }
}
