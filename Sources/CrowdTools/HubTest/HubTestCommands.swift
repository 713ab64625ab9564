import CrowdCore
import CrowdEngine
import Glibc

extension Command {
    /// `cscli hubtest` (surface facts A.13).
    static let hubtest = Command(
        name: "hubtest", summary: "Run functional tests on hub configurations",
        flags: [
            .text("hub", nil, "Path to hub folder", default: "."),
            .text("crowdsec", nil, "ignored: tests run in this process"),
            .text("cscli", nil, "ignored: tests run in this process"),
            .toggle("appsec", nil, "Tests of the WAF (not in this version)"),
            .text("data-mirror", nil, "Local copy of what data URLs serve"),
            .text("patterns", nil, "Folder of grok patterns (default: of the configuration)"),
        ],
        subcommands: [
            run, list, .hubtestCreate, .hubtestInfo, .hubtestClean, .hubtestCoverage, .hubtestEval, .hubtestExplain,
        ])

    private static let run = Command(
        name: "run", summary: "Run one or more tests", argumentsUsage: "[test_name]...", arguments: .any,
        flags: [
            .toggle("all", nil, "Run all tests"), .toggle("report-success", nil, "Report successful tests too"),
            .toggle("no-clean", nil, "ignored: nothing is written"),
            .toggle("clean", nil, "ignored: nothing is written"),
            .text("target", nil, "ignored: for tests of the WAF"), .text("host", nil, "ignored: for tests of the WAF"),
            .int("max-jobs", nil, "Tests run at the same time", default: 2),
        ]
    ) { call in
        if call.flags.isOn("appsec") { throw CommandError("tests of the WAF cannot be run in this version") }
        let hub = try HubCheckout(call.flags.text("hub"))
        let names = call.flags.isOn("all") ? hub.testNames : call.words
        guard !names.isEmpty else { throw CommandError("please provide test to run or --all flag", showsHelp: true) }
        let outcomes = try await runAll(HubTest.named(names, call), jobs: max(call.flags.int("max-jobs"), 1))
        report(outcomes, call)
        let failed = outcomes.filter { !$0.isSuccess }
        guard failed.isEmpty else { throw CommandError("\(failed.count) of \(outcomes.count) tests failed") }
    }

    private static let list = Command(name: "list", summary: "List available tests") { call in
        let hub = try HubCheckout(call.flags.text("hub"))
        let tests = hub.testNames.map { (name: $0, path: "\(hub.testsDirectory)/\($0)") }
        switch call.output {
        case .json:
            let items = tests.map { JSON.members(["Name": .string($0.name), "Path": .string($0.path)]) }
            call.print(JSON.array(items).pretty)
        case .raw: for test in tests { call.print(test.name) }
        case .human:
            var table = Table(["Name", "Path"])
            table.rows = tests.map { [$0.name, $0.path] }
            call.terminal.print(table.text(.light), terminator: "")
        }
    }

    private static func runAll(_ tests: [HubTest], jobs: Int) async -> [HubTest.Outcome] {
        await withTaskGroup(of: (Int, HubTest.Outcome).self) { group in
            var results: [HubTest.Outcome?] = Array(repeating: nil, count: tests.count)
            var next = 0
            while next < min(jobs, tests.count) {
                let index = next
                group.addTask { (index, tests[index].run()) }
                next += 1
            }
            for await (index, outcome) in group {
                results[index] = outcome
                guard next < tests.count else { continue }
                let following = next
                group.addTask { (following, tests[following].run()) }
                next += 1
            }
            return results.compactMap { $0 }
        }
    }

    private static func report(_ outcomes: [HubTest.Outcome], _ call: Invocation) {
        if call.output == .json {
            let success = outcomes.filter(\.isSuccess).map { JSON.string($0.name) }
            let fail = outcomes.filter { !$0.isSuccess }.map { JSON.string($0.name) }
            return call.print(
                JSON.object([JSONMember("success", .array(success)), JSONMember("fail", .array(fail))]).pretty)
        }
        for outcome in outcomes {
            for warning in outcome.warnings { call.print("WARN \(outcome.name): \(warning)") }
            if let error = outcome.error { call.print("ERROR \(outcome.name): \(error)") }
            for failure in outcome.failures.prefix(20) { call.print("FAIL \(outcome.name): \(failure)") }
            if outcome.isSuccess {
                call.info("Test '\(outcome.name)' passed successfully (\(outcome.assertions) assertions)")
            }
            if outcome.failures.count > 20 {
                call.print("FAIL \(outcome.name): and \(outcome.failures.count - 20) more")
            }
        }
        let shown = outcomes.filter { !$0.isSuccess || call.flags.isOn("report-success") }
        guard !shown.isEmpty else {
            return call.print("All tests passed, use --report-success for more details.")
        }
        var table = Table(["Test", "Result", "Assertions"])
        table.rows = shown.map { [$0.name, $0.isSuccess ? "✅" : "❌", String($0.assertions)] }
        call.terminal.print(table.text(.light), terminator: "")
    }
}

extension HubTest {
    /// Tests of the checkout that the command line names.
    static func named(_ names: [String], _ call: Invocation) throws -> [HubTest] {
        let hub = try HubCheckout(call.flags.text("hub"))
        let patterns = try patternDirectory(call)
        let mirror = call.flags.text("data-mirror")
        return names.map { name in
            HubTest(
                name: name, hub: hub, patternDirectory: patterns, dataMirror: mirror.isEmpty ? nil : mirror,
                acceleratesRegex: getenv("CROWD_REGEX").map { String(cString: $0) } != "re2")
        }
    }

    private static func patternDirectory(_ call: Invocation) throws -> String {
        let given = call.flags.text("patterns")
        if !given.isEmpty { return given }
        if let config = try? call.config(), FileContents.exists(config.paths.patternDirectory) {
            return config.paths.patternDirectory
        }
        // A checkout that was built, but not installed.
        let places = ["deploy/etc/crowdsec/patterns", programDirectory + "/../../../deploy/etc/crowdsec/patterns"]
        guard let found = places.first(where: FileContents.exists) else {
            throw CommandError("no grok patterns: name their folder with --patterns, or a configuration with -c")
        }
        return found
    }

    private static var programDirectory: String {
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer.prefix(max(count, 0)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return FileContents.directory(of: path)
    }
}
