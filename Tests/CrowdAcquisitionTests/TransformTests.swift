import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

@Suite("Transform") struct TransformTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String { expression }
        var expression: String
        var line: String
        var lines: [String]
    }

    @Test(arguments: [
        Case(expression: "evt.Line.Raw", line: "a", lines: ["a"]),
        Case(expression: "Upper(evt.Line.Raw)", line: "a", lines: ["A"]),
        Case(
            expression: #"JsonExtractSlice(evt.Line.Raw, "Records") | map(ToJsonString(#))"#,
            line: #"{"Records":[{"a":1},{"a":2}]}"#, lines: [#"{"a":1}"#, #"{"a":2}"#]),
        Case(expression: #"split(evt.Line.Raw, ";")"#, line: "a;b;c", lines: ["a", "b", "c"]),
        Case(expression: #"evt.Line.Labels["type"] + ":" + evt.Line.Src"#, line: "a", lines: ["t:s"]),
        Case(expression: "1 + 1", line: "stays", lines: ["stays"]),
        Case(expression: "nil", line: "stays", lines: ["stays"]),
        Case(expression: #"int(evt.Line.Raw) > 0 ? "number" : """#, line: "stays", lines: ["stays"]),
        Case(expression: #"JsonExtractSlice(evt.Line.Raw, "Records")"#, line: "not json", lines: ["not json"]),
        Case(expression: #"["x", 1, "y"]"#, line: "a", lines: ["x", "y"]),
    ])
    func makes(_ one: Case) throws {
        let transform = try LineTransform(LineTransformConfig(text: one.expression), log: SourceHarness.log)
        let origin = LineOrigin(source: "s", module: "file", labels: [("type", "t")], isReplay: false)
        let batch = LineBatch(origin, capacity: 1_000)
        var line = one.line
        line.withUTF8 { batch.append(ByteSlice($0)) }
        batch.place = .cursor(source: "s", "c")
        batch.isLate = true
        let result = transform.apply(batch)
        var lines: [String] = []
        result.withEachLine { lines.append(String($0)) }
        #expect(lines == one.lines)
        #expect(result.place == batch.place && result.isLate && result.isOwnText && result.time == batch.time)
    }

    @Test func standsBetweenASourceAndTheEngine() throws {
        let folder = try TemporaryDirectory()
        try folder.write("a.log", "")
        try folder.write(
            "acquis.yaml", "filename: \(folder.path)/a.log\nlabels: {type: t}\ntransform: split(evt.Line.Raw, ',')\n")
        let context = AcquisitionContext(metrics: Metrics(), log: SourceHarness.log)
        var loaded = Acquisition.Loaded()
        Acquisition.load(folder.path + "/acquis.yaml", into: &loaded, context)
        #expect(loaded.errors.isEmpty)
        let harness = SourceHarness(try #require(loaded.sources.first))
        try folder.append("a.log", "a,b\nc\n")
        #expect(harness.texts(3) == ["a", "b", "c"])
        #expect(harness.stop() == [])
    }

    @Test func aReplayTakesOneToo() throws {
        let folder = try TemporaryDirectory()
        let path = try folder.write("a.log", "a,b\nc\n")
        let context = AcquisitionContext(metrics: Metrics(), log: SourceHarness.log)
        let queue = LineQueue()
        try Acquisition.replay(
            dsn: "file://\(path)", labels: [("type", "t")], transform: "split(evt.Line.Raw, ',')", context
        ).run(into: queue, until: StopFlag())
        queue.close()
        var lines: [String] = []
        while case .batch(let batch) = queue.take(within: 100) { batch.withEachLine { lines.append(String($0)) } }
        #expect(lines == ["a", "b", "c"])
    }

    @Test func whatIsNoExpressionIsRefused() throws {
        let error = #expect(throws: ConfigError.self) {
            try LineTransform(LineTransformConfig(text: "evt.Line.Nothing"), log: SourceHarness.log)
        }
        #expect("\(try #require(error))".contains("while compiling transform"))
    }
}
