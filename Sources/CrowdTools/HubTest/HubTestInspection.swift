import CrowdCore
import CrowdEngine
import CrowdExpr

extension Command {
    static let hubtestEval = Command(
        name: "eval", summary: "Evaluate an expression on what a test's parsers and scenarios gave",
        argumentsUsage: "[test_name]...", arguments: .atLeast(1),
        flags: [
            .text("expr", "e", "Expression over results"),
            .toggle("scenarios", nil, "results are those of the scenarios, not of the parsers"),
        ]
    ) { call in
        let expression = call.flags.text("expr")
        guard !expression.isEmpty else { throw CommandError("required flag(s) \"expr\" not set") }
        for test in try HubTest.named(call.words, call) {
            let recorder = try test.record()
            let assertions =
                call.flags.isOn("scenarios")
                ? HubAssertions(ScenarioResults.value(recorder), ScenarioResults.type)
                : HubAssertions(ParserResults.value(recorder), ParserResults.type)
            let value: Value
            do throws(ExprError) { value = try assertions.value(of: expression) } catch {
                throw CommandError("unable to evaluate '\(expression)': \(error.message)")
            }
            call.print(try ValueJSON.text(value, escapingHTML: false))
        }
    }

    static let hubtestExplain = Command(
        name: "explain", summary: "Show what became of each line of a test", argumentsUsage: "[test_name]...",
        arguments: .atLeast(1),
        flags: [
            .toggle("verbose", "v", "Display individual changes"), .toggle("failures", nil, "Only show failed lines"),
            .toggle("only-successful-parsers", nil, "Only show successful parsers"),
        ]
    ) { call in
        var options = Explanation.Options()
        options.isVerbose = call.flags.isOn("verbose")
        options.onlyFailures = call.flags.isOn("failures")
        options.onlySuccessfulParsers = call.flags.isOn("only-successful-parsers")
        for test in try HubTest.named(call.words, call) {
            let (explainer, lines) = try test.explainer()
            for line in lines {
                if let text = explainer.explain(line).text(options) { call.print(text) }
            }
        }
    }
}
