import Testing

@testable import CrowdTools

@Suite("Command lines") struct CommandParserTests {
    static let root = Command(
        name: "cscli", summary: "root",
        flags: [.text("config", "c", "file", default: "/etc/c.yaml"), .toggle("debug", nil, "more")],
        subcommands: [
            Command(
                name: "things", aliases: ["thing"], summary: "group",
                subcommands: [
                    Command(
                        name: "add", summary: "adds", argumentsUsage: "NAME", arguments: .exactly(1),
                        flags: [
                            .text("key", "k", "key"), .toggle("all", "a", "all"), .toggle("force", "f", "force"),
                            .list("tags", "t", "tags"), .int("limit", "l", "limit", default: 50),
                            .duration("duration", "d", "time", default: "4h"),
                        ]
                    ) { _ in }
                ])
        ])

    struct Line: Sendable, CustomTestStringConvertible {
        var arguments: [String]
        var path: String
        var words: [String] = []
        /// `flag=value`, lists joined by `|`.
        var flags: [String] = []
        var testDescription: String { arguments.joined(separator: " ") }
    }

    @Test(arguments: [
        Line(arguments: [], path: "cscli"),
        Line(arguments: ["things"], path: "cscli things"),
        Line(arguments: ["thing", "add", "x"], path: "cscli things add", words: ["x"]),
        Line(
            arguments: ["-c", "f", "things", "add", "x"], path: "cscli things add", words: ["x"], flags: ["config=f"]),
        Line(
            arguments: ["things", "add", "x", "-c", "f"], path: "cscli things add", words: ["x"], flags: ["config=f"]),
        Line(
            arguments: ["things", "--config=f", "add", "x"], path: "cscli things add", words: ["x"], flags: ["config=f"]
        ),
        Line(arguments: ["things", "add", "-kv", "x"], path: "cscli things add", words: ["x"], flags: ["key=v"]),
        Line(
            arguments: ["things", "add", "-afk", "v", "x"], path: "cscli things add", words: ["x"],
            flags: ["all=true", "force=true", "key=v"]),
        Line(
            arguments: ["things", "add", "--all=false", "x"], path: "cscli things add", words: ["x"],
            flags: ["all=false"]),
        Line(
            arguments: ["things", "add", "-t", "a,b", "--tags", "c", "x"], path: "cscli things add", words: ["x"],
            flags: ["tags=a|b|c"]),
        Line(arguments: ["things", "add", "--", "-x"], path: "cscli things add", words: ["-x"]),
        Line(arguments: ["things", "nope"], path: "cscli things", words: ["nope"]),
    ])
    func reads(_ line: Line) throws {
        let result = try CommandParser(root: Self.root).parse(line.arguments)
        #expect(result.pathText == line.path)
        #expect(result.words == line.words)
        for flag in line.flags {
            let parts = flag.split(separator: "=").map { String($0) }
            #expect(result.flags.list(parts[0]).joined(separator: "|") == parts[1])
        }
    }

    @Test func defaultsStand() throws {
        let flags = try CommandParser(root: Self.root).parse(["things", "add", "x"]).flags
        #expect(flags.text("config") == "/etc/c.yaml" && flags.int("limit") == 50 && flags.text("duration") == "4h")
        #expect(!flags.isOn("all") && !flags.isGiven("limit"))
    }

    @Test(arguments: [
        (["things", "add", "--nope"], "unknown flag: --nope"), (["--nope"], "unknown flag: --nope"),
        (["things", "add", "-z"], "unknown shorthand flag: 'z' in -z"),
        (["things", "add", "-az"], "unknown shorthand flag: 'z' in -az"),
        (["things", "add", "--key"], "flag needs an argument: --key"),
        (["things", "add", "-k"], "flag needs an argument: 'k' in -k"),
        (
            ["things", "add", "--limit", "x"],
            "invalid argument \"x\" for \"-l, --limit\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"
        ),
        (
            ["things", "add", "-d", "x"],
            "invalid argument \"x\" for \"-d, --duration\" flag: time: invalid duration \"x\""
        ),
    ])
    func refuses(_ arguments: [String], _ message: String) {
        #expect(throws: CommandError(message)) { try CommandParser(root: Self.root).parse(arguments) }
    }

    @Test(arguments: [
        (ArgumentRule.exactly(1), 0, "accepts 1 arg(s), received 0"),
        (.atLeast(1), 0, "requires at least 1 arg(s), only received 0"),
        (.atMost(1), 2, "accepts at most 1 arg(s), received 2"), (.none, 1, "unknown command \"w\" for \"cscli x\""),
        (.exactly(1), 1, ""), (.any, 5, ""), (.none, 0, ""),
    ])
    func countsWords(_ rule: ArgumentRule, _ count: Int, _ refusal: String) {
        #expect(rule.refusal(of: Array(repeating: "w", count: count), for: "cscli x") ?? "" == refusal)
    }

    @Test func helpShowsFlagsAndCommands() throws {
        let path = try CommandParser(root: Self.root).parse(["things", "add", "x"]).path
        let help = CommandHelp(path: path).text
        #expect(help.contains("  cscli things add NAME [flags]\n"))
        #expect(help.contains("  -d, --duration duration   time (default 4h)\n"))
        #expect(help.contains("Global Flags:\n  -c, --config string   file (default \"/etc/c.yaml\")\n"))
        #expect(CommandHelp(path: [Self.root]).text.contains("Available Commands:\n  things      group\n"))
    }
}
