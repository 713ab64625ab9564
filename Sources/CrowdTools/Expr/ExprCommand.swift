import CrowdCore
import CrowdExpr

extension Command {
    /// `cscli expr`: what an expression gives, for people who write rules.
    static let expr = Command(
        name: "expr", summary: "Evaluate expressions against a JSON object or an event",
        argumentsUsage: "[EXPRESSION]", arguments: .atMost(1),
        flags: [
            .text("env", nil, "JSON object whose keys are the variables"),
            .toggle("event", nil, "the JSON object is an event: its fields are evt's"),
            .text("file", nil, "evaluate each line of this file"),
        ]
    ) { call in
        let json = call.flags.text("env").isEmpty ? Array("{}".utf8) : try FileContents.read(call.flags.text("env"))
        var evaluator = try ExprEvaluator(json, isEvent: call.flags.isOn("event"))
        let sources = try sources(call)
        guard !sources.isEmpty else { throw CommandError("an expression or --file is needed", showsHelp: true) }
        var failures = 0
        for source in sources {
            switch evaluator.evaluate(source) {
            case .success(let text): call.print(text)
            case .failure(let error):
                failures += 1
                let (line, column) = error.position(in: source)
                call.print("error: \(error.message) (\(line):\(column))")
            }
        }
        guard failures == 0 else { throw CommandError("\(failures) of \(sources.count) expressions failed") }
    }

    private static func sources(_ call: Invocation) throws -> [String] {
        guard !call.flags.text("file").isEmpty else { return call.words }
        let text = try FileContents.read(call.flags.text("file"), limit: 64 * 1024 * 1024)
        return text.split(separator: 10).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Evaluates expressions over variables that come from JSON.
struct ExprEvaluator {
    private var environment = Environment(functions: CrowdSecFunctions.all())
    private let machine: Machine
    /// Holds the texts of the variables.
    private let arena = Arena(chunkSize: 64 * 1024)

    init(_ json: [UInt8], isEvent: Bool) throws {
        let keys = environment.keys
        machine = Machine(event: Event(keys: keys))
        guard case .map(let map) = try ValueJSON.parse(arena.copy(json), arena: arena) else {
            throw CommandError("the variables must be a JSON object")
        }
        environment.declareEvent()
        guard !isEvent else {
            fill(machine.event, from: map)
            return
        }
        for (name, value) in zip(map.keys, map.values) {
            environment.declare(String(name), .any)
            machine.variables.append(value)
        }
    }

    private func fill(_ event: Event, from map: MapValue) {
        let fields = [("Parsed", event.parsed), ("Meta", event.meta), ("Enriched", event.enriched)]
        for (name, table) in fields {
            guard case .map(let texts)? = map.find(Immortal.copy(name)) else { continue }
            for (key, value) in zip(texts.keys, texts.values) {
                guard case .string(let text) = value, let id = event.keys.intern(String(key)) else { continue }
                table.set(id, text)
            }
        }
        if case .map(let json)? = map.find(ByteSlice("Unmarshaled")) {
            for (key, value) in zip(json.keys, json.values) { event.unmarshaled.set(key, value) }
        }
        if case .map(let line)? = map.find(ByteSlice("Line")) {
            if case .string(let raw)? = line.find(ByteSlice("Raw")) { event.line.raw = raw }
            if case .string(let source)? = line.find(ByteSlice("Src")) { event.line.source = source }
            if case .string(let module)? = line.find(ByteSlice("Module")) { event.line.module = module }
            if case .map(let labels)? = line.find(ByteSlice("Labels")) {
                event.line.labels = LineLabels(
                    zip(labels.keys, labels.values).compactMap { key, value in
                        if case .string(let text) = value { (String(key), String(text)) } else { nil }
                    })
            }
        }
        if case .string(let text)? = map.find(ByteSlice("StrTime")) { event.strTime = text }
        if case .string(let text)? = map.find(ByteSlice("MarshaledTime")) { event.setMarshaledTime(text) }
    }

    /// The result as JSON.
    mutating func evaluate(_ source: String) -> Result<String, ExprError> {
        let value: Value
        do {
            value = try Program(source, in: environment).value(on: machine)
        } catch {
            return .failure(error)
        }
        do {
            return .success(try ValueJSON.text(value, escapingHTML: false))
        } catch {
            return .failure(ExprError(error.description, at: 0, phase: .run))
        }
    }
}
