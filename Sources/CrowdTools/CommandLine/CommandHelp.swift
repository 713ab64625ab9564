/// The help text of a command, laid out as cobra does.
struct CommandHelp {
    let path: [Command]

    private var command: Command { path[path.count - 1] }
    private var pathText: String { path.map(\.name).joined(separator: " ") }

    var text: String {
        var text = command.summary + "\n\nUsage:\n"
        if command.action != nil {
            let words = command.argumentsUsage.isEmpty ? "" : " \(command.argumentsUsage)"
            text += "  \(pathText)\(words) [flags]\n"
        }
        if !command.subcommands.isEmpty { text += "  \(pathText) [command]\n" }
        if !command.aliases.isEmpty {
            text += "\nAliases:\n  \(([command.name] + command.aliases).joined(separator: ", "))\n"
        }
        text += commandList
        text += Self.section("Flags", command.flags + [.toggle("help", "h", "help for \(command.name)")])
        if path.count > 1 { text += Self.section("Global Flags", path[0].flags) }
        if !command.subcommands.isEmpty {
            text += "\nUse \"\(pathText) [command] --help\" for more information about a command.\n"
        }
        return text
    }

    private var commandList: String {
        let visible = command.subcommands.filter { !$0.isHidden }
        guard !visible.isEmpty else { return "" }
        let width = max(11, visible.map(\.name.count).max() ?? 0)
        let lines = visible.sorted { $0.name < $1.name }.map { command in
            "  \(command.name.padded(to: width)) \(command.summary)\n"
        }
        return "\nAvailable Commands:\n" + lines.joined()
    }

    private static func section(_ title: String, _ flags: [Flag]) -> String {
        let rows = flags.filter { !$0.isHidden }.sorted { $0.name < $1.name }.map { ($0.usage, $0.helpWithDefault) }
        let width = rows.map(\.0.count).max() ?? 0
        return "\n\(title):\n" + rows.map { "  \($0.padded(to: width))   \($1)\n" }.joined()
    }
}

extension Flag {
    fileprivate var usage: String {
        let word = kind == .bool ? "" : " \(kind.rawValue)"
        return (short.map { "-\($0), " } ?? "    ") + "--\(name)\(word)"
    }

    fileprivate var helpWithDefault: String {
        switch kind {
        case .bool, .strings: help
        case .string: fallback.isEmpty ? help : "\(help) (default \"\(fallback)\")"
        case .int: fallback == "0" ? help : "\(help) (default \(fallback))"
        case .duration: fallback.isEmpty ? help : "\(help) (default \(fallback))"
        }
    }
}

extension String {
    func padded(to width: Int) -> String { count >= width ? self : self + String(repeating: " ", count: width - count) }
}
