import Testing

@testable import CrowdTools

@Suite("Help") struct HelpTests {
    /// Of every command, in one file.
    @Test func helpOfEveryCommand() throws {
        var text = ""
        func visit(_ path: [Command]) {
            text += "$ \(path.map(\.name).joined(separator: " ")) --help\n"
            text += CommandHelp(path: path).text + "\n"
            for command in path[path.count - 1].subcommands.sorted(by: { $0.name < $1.name }) where !command.isHidden {
                visit(path + [command])
            }
        }
        visit([Cscli.root])
        try Snapshot.expect(text, "help")
    }
}
