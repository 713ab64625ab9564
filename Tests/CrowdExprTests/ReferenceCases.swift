import CrowdCore
import CrowdExpr
import CrowdTestSupport
import Testing

/// 4,000 expressions with the value or error that the reference evaluator gave.
@Suite("Cases of the reference evaluator") struct ReferenceCases {
    @Test func everyCaseGivesTheReferencesAnswer() throws {
        guard let casesPath = SharedMaterial.path("expr/cases.jsonl"), let cases = SharedMaterial.read(casesPath),
            let envPath = SharedMaterial.path("expr/env.json"), let env = SharedMaterial.read(envPath)
        else { return }
        let machine = Machine(event: Event(keys: KeyTable()))
        let arena = Arena(chunkSize: 1 << 20)
        guard case .map(let variables) = try ValueJSON.parse(arena.copy(env), arena: arena) else { return }
        var environment = Environment()
        for (name, value) in zip(variables.keys, variables.values) {
            environment.declare(String(name), .any)
            machine.variables.append(value)
        }
        var failures: [String] = []
        for line in cases.split(separator: 10) {
            guard case .map(let item) = try ValueJSON.parse(arena.copy(Array(line)), arena: arena),
                case .string(let source)? = item.find(ByteSlice("expr"))
            else { continue }
            machine.event.reset()
            let wanted = item.find(ByteSlice("value")).map { (try? ValueJSON.text($0)) ?? "?" } ?? "error"
            let got = answer(String(source), environment, machine)
            // The reference's file was written by a program that knows no negative zero.
            guard normal(got) != wanted else { continue }
            failures.append("\(source)\n   wanted \(wanted)\n   got    \(got)")
        }
        #expect(failures.isEmpty, "\(failures.count) differ:\n\(failures.prefix(40).joined(separator: "\n"))")
    }

    private func normal(_ json: String) -> String {
        json == "-0" ? "0" : json.split(separator: ":-0,", omittingEmptySubsequences: false).joined(separator: ":0,")
    }

    private func answer(_ source: String, _ environment: Environment, _ machine: Machine) -> String {
        guard let program = try? Program(source, in: environment), let value = try? program.value(on: machine),
            let text = try? ValueJSON.text(value)
        else { return "error" }
        return text
    }
}
