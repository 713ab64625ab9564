import CrowdCore

extension Command {
    /// `cscli doc`: the help of every command as Markdown, one file each.
    static let doc: Command = Command(
        name: "doc", summary: "Generate the documentation related to cscli commands. Target directory must exist.",
        flags: [.text("target", nil, "The target directory", default: "doc")], isHidden: true, needsConfig: false
    ) { call in
        let target = call.flags.text("target")
        guard FileContents.isDirectory(target) else {
            throw CommandError("open \(target): no such directory")
        }
        try CommandPages.write([Cscli.root], to: target)
    }
}

private enum CommandPages {
    static func write(_ path: [Command], to folder: String) throws {
        let name = path.map(\.name).joined(separator: "_")
        try FileContents.replace("\(folder)/\(name).md", with: Array(page(path).utf8))
        for command in path[path.count - 1].subcommands where !command.isHidden {
            try write(path + [command], to: folder)
        }
    }

    private static func page(_ path: [Command]) -> String {
        let command = path[path.count - 1]
        let title = path.map(\.name).joined(separator: " ")
        let names = path.map(\.name).joined(separator: "_")
        var text = "# \(title)\n\n\(command.summary)\n\n```\n\(CommandHelp(path: path).text)```\n"
        let related = command.subcommands.filter { !$0.isHidden }
        if path.count > 1 || !related.isEmpty { text += "\n## See also\n\n" }
        if path.count > 1 {
            let parent = path.dropLast().map(\.name)
            text += "* [\(parent.joined(separator: " "))](\(parent.joined(separator: "_")).md)\n"
        }
        for child in related { text += "* [\(title) \(child.name)](\(names)_\(child.name).md): \(child.summary)\n" }
        return text
    }
}
