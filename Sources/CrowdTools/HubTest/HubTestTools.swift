import CrowdCore
import Glibc

extension Command {
    static let hubtestCreate = Command(
        name: "create", summary: "Create a new test, with files to fill in", argumentsUsage: "NAME",
        arguments: .exactly(1),
        flags: [
            .text("type", "t", "Log type of the test"), .list("parsers", "p", "Parsers to add to test"),
            .list("postoverflows", nil, "Postoverflows to add to test"),
            .list("scenarios", "s", "Scenarios to add to test"),
            .toggle("ignore-parsers", nil, "Don't run test on parsers"),
        ]
    ) { try HubTestTools.create($0) }

    static let hubtestInfo = Command(
        name: "info", summary: "Show where the files of tests are", argumentsUsage: "NAME...", arguments: .atLeast(1)
    ) { call in
        for name in call.words {
            let folder = try HubTestTools.folder(name, call)
            let config = try HubTestConfig(from: ConfigFile.load(folder + "/config.yaml", overlay: false))
            call.print(
                """

                  Test name                   :  \(name)
                  Test path                   :  \(folder)
                  Log file                    :  \(folder)/\(config.logFile)
                  Parser assertion file       :  \(folder)/parser.assert
                  Scenario assertion file     :  \(folder)/scenario.assert
                  Configuration File          :  \(folder)/config.yaml
                """)
        }
    }

    static let hubtestClean = Command(
        name: "clean", summary: "Clean the test environment (nothing is left behind here)", argumentsUsage: "NAME...",
        arguments: .any, flags: [.toggle("all", nil, "Clean all tests")]
    ) { call in
        guard call.flags.isOn("all") || !call.words.isEmpty else {
            throw CommandError("no tests to clean: please provide names or --all")
        }
        for name in call.words { _ = try HubTestTools.folder(name, call) }
    }

    static let hubtestCoverage = Command(
        name: "coverage", summary: "Generate coverage about tests",
        flags: [
            .toggle("percent", nil, "Show only the percentages"), .toggle("parsers", nil, "Show only parsers coverage"),
            .toggle("scenarios", nil, "Show only scenarios coverage"),
            .toggle("appsec", nil, "Show only appsec coverage"),
        ]
    ) { try HubTestCoverage.show($0) }
}

enum HubTestTools {
    static func folder(_ name: String, _ call: Invocation) throws -> String {
        let hub = try HubCheckout(call.flags.text("hub"))
        guard !name.contains("/"), name != "..", hub.testNames.contains(name) else {
            throw CommandError("unable to load test '\(name)': no such test in \(hub.testsDirectory)")
        }
        return "\(hub.testsDirectory)/\(name)"
    }

    static func create(_ call: Invocation) throws {
        let name = call.words[0]
        let hub = try HubCheckout(call.flags.text("hub"))
        guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
            throw CommandError("'\(name)' is no name for a test")
        }
        let folder = "\(hub.testsDirectory)/\(name)"
        guard !FileContents.exists(folder) else { throw CommandError("test '\(name)' already exists in '\(folder)'") }
        guard let type = call.flags.nonEmpty("type") else {
            throw CommandError("please provide a type (--type) for the test")
        }
        try FileContents.makeDirectory(folder)
        let ignores = call.flags.isOn("ignore-parsers")
        let files = (ignores ? [] : ["parser.assert"]) + ["scenario.assert", "\(name).log"]
        for file in files { try FileContents.replace("\(folder)/\(file)", with: []) }
        try FileContents.replace("\(folder)/config.yaml", with: Array(config(name, type, call).yamlText.utf8))
        call.print(
            "\n  Test name                   :  \(name)\n  Test path                   :  \(folder)\n"
                + "  Log file                    :  \(folder)/\(name).log (please fill it with logs)")
        for file in files where file.hasSuffix(".assert") {
            let label = file == "parser.assert" ? "Parser assertion file   " : "Scenario assertion file "
            call.print("  \(label)    :  \(folder)/\(file) (please fill it with assertion)")
        }
        call.print("  Configuration File          :  \(folder)/config.yaml (please fill it with parsers, scenarios...)")
    }

    private static func config(_ name: String, _ type: String, _ call: Invocation) -> YAMLNode {
        func list(_ flag: String, _ first: [String] = []) -> JSON {
            .array((first + call.flags.list(flag)).map { .string($0) })
        }
        let base = ["crowdsecurity/syslog-logs", "crowdsecurity/dateparse-enrich"]
        return JSON.members([
            "parsers": list("parsers", base), "scenarios": list("scenarios"), "postoverflows": list("postoverflows"),
            "log_file": .string("\(name).log"), "log_type": .string(type),
            "ignore_parsers": .bool(call.flags.isOn("ignore-parsers")),
        ]).yamlNode
    }
}

/// Which items of the hub a test speaks of, by the names in assertions and test configurations.
enum HubTestCoverage {
    static func show(_ call: Invocation) throws {
        let hub = try HubCheckout(call.flags.text("hub"))
        var mentions: [String: Int] = [:]
        for test in hub.testNames {
            for name in try names(in: "\(hub.testsDirectory)/\(test)") { mentions[name, default: 0] += 1 }
        }
        let all = ["parsers", "scenarios"] + (call.flags.isOn("appsec") ? ["appsec-rules"] : [])
        let flags = ["parsers": "parsers", "scenarios": "scenarios", "appsec-rules": "appsec"]
        let chosen = all.filter { call.flags.isOn(flags[$0] ?? "") }
        var report: [JSONMember] = []
        for type in chosen.isEmpty ? all : chosen {
            let items = hub.names(type).map { (name: $0, tests: mentions[$0] ?? 0) }
            let covered = items.count { $0.tests > 0 }
            let percent = items.isEmpty ? 0 : covered * 100 / items.count
            if call.output == .json {
                report.append(
                    JSONMember(
                        type,
                        .members([
                            "percent": .int(Int64(percent)),
                            "coverage": .object(items.map { JSONMember($0.name, .int(Int64($0.tests))) }),
                        ])))
            } else if call.flags.isOn("percent") {
                call.print("\(type)=\(percent)%")
            } else {
                var table = Table([String(type.dropLast()), "Status", "Number of tests"])
                table.rows = items.map { [$0.name, $0.tests > 0 ? "🟢" : "🔴", String($0.tests)] }
                call.terminal.print(table.text(.light), terminator: "")
                call.print("\(type.uppercased())    : \(percent)% of coverage")
            }
        }
        if call.output == .json { call.print(JSON.object(report).pretty) }
    }

    /// What stands in quotes in the assertions, and the items of the test's configuration other than parsers, which
    /// most tests only pass through.
    private static func names(in folder: String) throws -> Set<String> {
        var names: Set<String> = []
        for file in ["parser.assert", "scenario.assert"] {
            let text = String(decoding: (try? FileContents.read("\(folder)/\(file)")) ?? [], as: UTF8.self)
            for (index, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated()
            where index % 2 == 1 && part.contains("/") {
                names.insert(String(part))
            }
        }
        if let config = try? HubTestConfig(from: ConfigFile.load(folder + "/config.yaml", overlay: false)) {
            names.formUnion(config.appsecRules)
        }
        return names
    }
}
