/// Reads a command line as cobra and pflag do: flags may stand anywhere, `--` ends them, global flags are known to all.
struct CommandParser {
    /// What a command line asks for.
    struct Result {
        /// From the root to the command.
        var path: [Command]
        var flags: FlagValues
        var words: [String]
        var wantsHelp = false

        var command: Command { path[path.count - 1] }
        var pathText: String { path.map(\.name).joined(separator: " ") }
        /// cobra's sentence about flags that had to be given and were not.
        var missingFlags: String? {
            let names = path.flatMap(\.flags).filter { $0.isRequired && !flags.isGiven($0.name) }.map(\.name).sorted()
            guard !names.isEmpty else { return nil }
            return "required flag(s) \(names.map { "\"\($0)\"" }.joined(separator: ", ")) not set"
        }
    }

    let root: Command
    static let help = Flag.toggle("help", "h", "help for the command")

    /// - Parameter arguments: without the program's name.
    func parse(_ arguments: [String]) throws(CommandError) -> Result {
        let path = path(of: arguments)
        let flags = path.flatMap(\.flags) + [Self.help]
        var result = Result(path: path, flags: FlagValues(flags), words: [])
        var rest = arguments[...]
        var pending = path.dropFirst().count
        while let argument = rest.popFirst() {
            if argument == "--" {
                result.words += rest
                break
            } else if argument.hasPrefix("--") {
                try parseLong(argument.dropFirst(2), flags, &rest, &result)
            } else if argument.hasPrefix("-") && argument != "-" {
                try parseShort(argument.dropFirst(), argument, flags, &rest, &result)
            } else if pending > 0 {
                pending -= 1
            } else {
                result.words.append(argument)
            }
        }
        result.wantsHelp = result.flags.isOn("help")
        return result
    }

    /// The words of the command that a command line means, for messages about what is wrong with it.
    func pathText(of arguments: [String]) -> String { path(of: arguments).map(\.name).joined(separator: " ") }

    /// The words that were to be explained, from the first one that no command has.
    func unknownTopic(in arguments: [String]) -> String? {
        guard let result = try? parse(arguments), result.command.action == nil, !result.words.isEmpty else {
            return nil
        }
        return result.words.joined(separator: " ")
    }

    /// The commands that the plain words name, as deep as they do. Values of flags are told from words by the flags of
    /// the commands found so far.
    private func path(of arguments: [String]) -> [Command] {
        var path = [root]
        var skipsNext = false
        for argument in arguments {
            if skipsNext {
                skipsNext = false
                continue
            }
            if argument == "--" { break }
            if argument.hasPrefix("-") && argument != "-" {
                skipsNext = takesNext(argument, path.flatMap(\.flags))
                continue
            }
            guard let next = path[path.count - 1].subcommand(argument) else { break }
            path.append(next)
        }
        return path
    }

    private func takesNext(_ argument: String, _ flags: [Flag]) -> Bool {
        if argument.contains("=") { return false }
        if argument.hasPrefix("--") {
            return flags.contains { $0.name == argument.dropFirst(2) && $0.kind != .bool }
        }
        guard argument.count == 2, let short = argument.last else { return false }
        return flags.contains { $0.short == short && $0.kind != .bool }
    }

    private func parseLong(
        _ body: Substring, _ flags: [Flag], _ rest: inout ArraySlice<String>, _ result: inout Result
    ) throws(CommandError) {
        let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard let flag = flags.first(where: { $0.name == parts[0] }) else {
            throw CommandError("unknown flag: --\(parts[0])")
        }
        if parts.count == 2 { return try result.flags.set(flag, String(parts[1])) }
        if flag.kind == .bool { return try result.flags.set(flag, "true") }
        guard let value = rest.popFirst() else { throw CommandError("flag needs an argument: --\(flag.name)") }
        try result.flags.set(flag, value)
    }

    private func parseShort(
        _ body: Substring, _ whole: String, _ flags: [Flag], _ rest: inout ArraySlice<String>, _ result: inout Result
    ) throws(CommandError) {
        var body = body
        while let letter = body.popFirst() {
            guard let flag = flags.first(where: { $0.short == letter }) else {
                throw CommandError("unknown shorthand flag: '\(letter)' in \(whole)")
            }
            if body.first == "=" { return try result.flags.set(flag, String(body.dropFirst())) }
            if flag.kind == .bool {
                try result.flags.set(flag, "true")
                continue
            }
            if !body.isEmpty { return try result.flags.set(flag, String(body)) }
            guard let value = rest.popFirst() else {
                throw CommandError("flag needs an argument: '\(letter)' in \(whole)")
            }
            return try result.flags.set(flag, value)
        }
    }
}
