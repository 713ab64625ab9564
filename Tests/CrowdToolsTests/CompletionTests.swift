import CrowdTestSupport
import Testing

@Suite("Completion") struct CompletionTests {
    struct Case: CustomTestStringConvertible {
        var words: [String]
        var candidates: [String]
        var testDescription: String { words.joined(separator: " ") }
    }

    /// Before a tab, what is offered; the help behind it is the command's own.
    @Test(arguments: [
        Case(words: ["bou"], candidates: ["bouncers"]),
        Case(words: ["machines", "pr"], candidates: ["prune"]),
        Case(
            words: ["metrics", "show", "app"],
            candidates: ["appsec", "appsec-challenge", "appsec-engine", "appsec-rule"]),
        Case(words: ["alerts", "list", "--o"], candidates: ["--origin", "--output"]),
        Case(words: ["hub", "upgrade", "--in"], candidates: ["--info", "--interactive"]),
        Case(words: ["frobnicate", "--co"], candidates: ["--color", "--config"]),
        Case(words: ["hub", "update", "--branch"], candidates: []),
    ])
    func offers(_ example: Case) throws {
        let directory = try TemporaryDirectory()
        let config = try directory.write("config.yaml", "config_paths: {data_dir: \(directory.path)}\n")
        let result = try Command.run([Command.built("cscli"), "-c", config, "__complete"] + example.words)
        let lines = result.output.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
        #expect(lines == example.candidates + [":4"])
        #expect(result.status == 0)
    }
}
