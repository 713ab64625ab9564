import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

@Suite("Docker") struct DockerTests {
    private let folder: TemporaryDirectory
    private let engine: FakeDockerEngine
    private let cursors = SourceCursors()

    init() throws {
        folder = try TemporaryDirectory()
        engine = try FakeDockerEngine(socketPath: folder.path + "/docker.sock")
    }

    private func source(_ yaml: String, labels: String = "labels: {type: t}") throws -> DockerSource {
        let node = try SourceHarness.yaml(
            "source: docker\ndocker_host: unix://\(engine.socketPath)\n\(labels)\n\(yaml)\n")
        let context = AcquisitionContext(metrics: Metrics(), log: SourceHarness.log, cursors: cursors)
        return DockerSource(try DockerSourceConfig(from: node), context)
    }

    private func id(_ letter: String) -> String { String(repeating: letter, count: 64) }

    private func subject(_ letter: String, _ name: String) -> FakeDockerEngine.Subject {
        FakeDockerEngine.Subject(id: id(letter), name: name)
    }

    @Test(arguments: [1, 3, 4_096], [false, true])
    func followsFromNowOn(pieceBytes: Int, isTTY: Bool) throws {
        engine.setPieces(ofBytes: pieceBytes)
        var web = subject("a", "web")
        web.isTTY = isTTY
        engine.run(web)
        engine.write("old\n", to: id("a"), at: .now() - .seconds(60))
        let harness = SourceHarness(try source("container_name: [web]"))
        engine.write("one\n  two \r\n\n", to: id("a"))
        engine.write("three\n", to: id("a"), errors: true)
        let lines = harness.take(3, cursors)
        #expect(lines.map(\.text) == ["one", "two", "three"])
        #expect(lines.allSatisfy { $0.source == "web" && $0.labels == ["type=t"] })
        #expect(harness.stop(cursors) == [])
    }

    /// As 20.10 does when it rotates a log: what the new file holds comes again, with the same times.
    @Test(arguments: [1, 2, 30], [false, true])
    func whatComesAgainAtARotationIsReadOnce(held: Int, isTTY: Bool) throws {
        var web = subject("a", "web")
        web.isTTY = isTTY
        engine.run(web)
        let harness = SourceHarness(try source("container_name: [web]"))
        var expected: [String] = []
        for round in 0..<20 {
            let lines = (0..<30).map { "round \(round), \($0)" }
            engine.write(lines.joined(separator: "\n") + "\n", to: id("a"))
            expected += lines
            #expect(harness.texts(30, cursors) == lines)
            engine.rotate(id("a"), holding: held)
        }
        engine.write("same\nsame\nsame\nend\n", to: id("a"))
        #expect(harness.texts(4, cursors) == ["same", "same", "same", "end"])
        #expect(harness.stop(cursors) == [])
    }

    /// Lines above 16 KiB come in several entries.
    @Test(arguments: [false, true])
    func longLinesArePutTogether(isTTY: Bool) throws {
        var web = subject("a", "web")
        web.isTTY = isTTY
        engine.run(web)
        let harness = SourceHarness(try source("container_name: [web]"))
        let long = String((0..<40_000).map { Character(UnicodeScalar(UInt8(97 + $0 % 26))) })
        let tooLong = String(repeating: "y", count: 100_000)
        engine.write("\(long)\n\(tooLong)\nend\n", to: id("a"))
        let lines = harness.texts(3)
        #expect(lines.map(\.utf8.count) == [40_000, 65_536, 3])
        #expect(lines.first == long && lines.last == "end")
    }

    /// The two outputs of a container do not get into each other's lines.
    @Test func outputsAreTwoTexts() throws {
        var cutter = DockerLogCutter(isTTY: false, hasDetails: false, maxLine: 1_000)
        func frame(_ stream: UInt8, _ text: String) -> [UInt8] {
            let text = Array(("2026-11-21T10:00:00.000000001Z " + text).utf8)
            return [stream, 0, 0, 0, 0, 0, 0, UInt8(text.count)] + text
        }
        var lines: [String] = []
        let bytes = frame(1, "out ") + frame(2, "err ") + frame(1, "put\n") + frame(2, "or\n")
        try bytes.withUnsafeBufferPointer { buffer in
            try cutter.feed(ByteSlice(buffer)) { lines.append(String($0.line)) }
        }
        #expect(lines == ["out put", "err or"])
    }

    @Test func aBrokenFrameAndAComplaintOfTheEngineAreErrors() throws {
        for (bytes, failure) in [
            ([9, 0, 0, 0, 0, 0, 0, 1, 1], DockerLogCutter.Failure.noFrame),
            ([3, 0, 0, 0, 0, 0, 0, 2, 110, 111], .engine("no")),
        ] as [([UInt8], DockerLogCutter.Failure)] {
            var cutter = DockerLogCutter(isTTY: false, hasDetails: false, maxLine: 100)
            #expect(throws: failure) {
                try bytes.withUnsafeBufferPointer { buffer throws(DockerLogCutter.Failure) in
                    try cutter.feed(ByteSlice(buffer)) { _ in }
                }
            }
        }
    }

    @Test func anyBytesAreTakenOrRefused() {
        var random = SeededRandom(3)
        for _ in 0..<2_000 {
            var cutter = DockerLogCutter(
                isTTY: Bool.random(using: &random), hasDetails: Bool.random(using: &random), maxLine: 50)
            for _ in 0..<5 {
                let alphabet: [UInt8] = [0, 0, 0, 1, 2, 3, 10, 32, 50, 58, 200]
                let bytes = (0..<40).map { _ in alphabet.randomElement(using: &random) ?? 0 }
                bytes.withUnsafeBufferPointer { buffer in
                    try? cutter.feed(ByteSlice(buffer)) { #expect($0.line.count <= 50) }
                }
            }
        }
    }

    /// Lines written while no agent ran are read, none is read twice, whatever happens in between.
    @Test func goesOnAfterRestarts() throws {
        engine.run(subject("a", "web"))
        var seen: [String] = []
        var written: [String] = []
        for round in 0..<5 {
            let harness = SourceHarness(try source("container_name: [web]"))
            for number in 0..<20 {
                written.append("line \(round).\(number)")
                engine.write("\(written.last ?? "")\n", to: id("a"), errors: number % 2 == 1)
            }
            seen += harness.texts(written.count - seen.count, cursors)
            seen += harness.stop(cursors)
            written.append("between \(round)")
            engine.write("between \(round)\n", to: id("a"))
        }
        let last = SourceHarness(try source("container_name: [web]"))
        seen += last.texts(1, cursors)
        seen += last.stop(cursors)
        #expect(seen == written)
    }

    /// The place is the last one that was accounted for, not the last one that was read.
    @Test func aKilledAgentGoesOnBehindWhatIsAccountedFor() throws {
        engine.run(subject("a", "web"))
        let first = SourceHarness(try source("container_name: [web]"))
        engine.write("one\n", to: id("a"))
        #expect(first.texts(1, cursors) == ["one"])
        engine.write("two\nthree\n", to: id("a"))
        // Read, but the process dies before any of it is processed: the place saved above stays.
        let before = cursors.all(beginning: "").first { $0.cursor.hasPrefix("=") }
        #expect(first.texts(2) == ["two", "three"])
        first.stop()
        let place = try #require(before)
        cursors.save(place.cursor, of: place.name)
        let second = SourceHarness(try source("container_name: [web]"))
        #expect(second.texts(2, cursors) == ["two", "three"])
        second.stop(cursors)
    }

    @Test func anEngineThatIsRestarted() throws {
        engine.run(subject("a", "web"))
        let harness = SourceHarness(try source("container_name: [web]"))
        engine.write("one\n", to: id("a"))
        var seen = harness.texts(1, cursors)
        for round in 0..<3 {
            engine.setAway(true)
            engine.write("away \(round)\n", to: id("a"))
            engine.setAway(false)
            engine.write("back \(round)\n", to: id("a"))
            seen += harness.texts(2, seconds: 60, cursors)
        }
        #expect(seen == ["one"] + (0..<3).flatMap { ["away \($0)", "back \($0)"] })
    }

    @Test func findsContainersThatStartLater() throws {
        let harness = SourceHarness(try source("container_name_regexp: ['web\\d']"))
        engine.run(subject("a", "web1"))
        engine.write("first words\n", to: id("a"))
        engine.run(subject("b", "db"))
        engine.write("not asked for\n", to: id("b"))
        // Over before anybody could look.
        engine.run(subject("c", "web2"))
        engine.write("short life\n", to: id("c"))
        engine.end(id("c"))
        let lines = harness.take(2, cursors)
        #expect(Set(lines.map(\.text)) == ["first words", "short life"])
        #expect(Set(lines.map(\.source)) == ["/web1", "/web2"])
        engine.end(id("a"))
        engine.write("while it was down\n", to: id("a"))
        engine.start(id("a"))
        engine.write("again\n", to: id("a"))
        #expect(harness.texts(2, cursors) == ["while it was down", "again"])
        engine.remove(id("c"))
        for _ in 0..<100 where cursors.all(beginning: "").contains(where: { $0.name.contains(id("c")) }) {
            #expect(harness.takeSome(cursors) == [])
            usleep(20_000)
        }
        #expect(harness.stop(cursors) == [])
        #expect(!cursors.all(beginning: "").contains { $0.name.contains(id("c")) })
    }

    /// Started, and perhaps ended, while no agent ran.
    @Test func findsWhatCameWhileNobodyLooked() throws {
        engine.run(subject("o", "web0"))
        engine.write("old\n", to: id("o"))
        usleep(30_000)
        SourceHarness(try source("container_name_regexp: [web]")).stop(cursors)
        engine.run(subject("a", "web1"))
        engine.write("new\n", to: id("a"))
        engine.write("old, later\n", to: id("o"))
        let harness = SourceHarness(try source("container_name_regexp: [web]"))
        #expect(Set(harness.texts(2, cursors)) == ["new", "old, later"])
        #expect(harness.stop(cursors) == [])
    }

    struct Selection: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var yaml: String
        var found: Set<String>
    }

    @Test(arguments: [
        Selection(testDescription: "by name", yaml: "container_name: [web, db]", found: ["web", "db"]),
        Selection(testDescription: "by name with slash", yaml: "container_name: [/web]", found: ["web"]),
        Selection(
            testDescription: "by id", yaml: "container_id: [\(String(repeating: "a", count: 64))]", found: ["/web"]),
        Selection(testDescription: "by short id", yaml: "container_id: [bbbbbbbbbbbb]", found: ["/db"]),
        Selection(testDescription: "by pattern", yaml: "container_name_regexp: ['^/w']", found: ["/web"]),
        Selection(testDescription: "by id pattern", yaml: "container_id_regexp: ['^[bc]+$']", found: ["/db", "/app"]),
        Selection(testDescription: "by image", yaml: "container_image: ['nginx:1']", found: ["/web"]),
        Selection(testDescription: "by image pattern", yaml: "container_image_regexp: [^post]", found: ["/db"]),
        Selection(testDescription: "by label", yaml: "use_container_labels: true", found: ["/app"]),
    ])
    func selects(_ selection: Selection) throws {
        var (web, db, app) = (subject("a", "web"), subject("b", "db"), subject("c", "app"))
        (web.image, db.image) = ("nginx:1", "postgres:16")
        app.labels = ["crowdsec.enable": "true", "crowdsec.labels.type": "apache2", "crowdsec.labels.x": "y"]
        web.labels = ["crowdsec.enable": "false", "crowdsec.labels.type": "nginx"]
        for one in [web, db, app] { engine.run(one) }
        let harness = SourceHarness(try source(selection.yaml))
        for letter in ["a", "b", "c"] { engine.write("line\n", to: id(letter)) }
        let lines = harness.take(selection.found.count, cursors)
        #expect(Set(lines.map(\.source)) == selection.found)
        if selection.yaml.hasPrefix("use") { #expect(lines.first?.labels == ["type=apache2", "x=y"]) }
        #expect(harness.stop(cursors) == [])
    }

    @Test func readsServicesOfASwarmOnce() throws {
        engine.setManager(true)
        var service = subject("s", "shop")
        service.isService = true
        engine.run(service)
        var replica = subject("a", "shop.1")
        replica.labels = ["com.docker.swarm.service.id": id("s")]
        engine.run(replica)
        let yaml = "service_name: [shop]\ncontainer_name_regexp: [shop]"
        var written: [String] = []
        var seen: [String] = []
        for round in 0..<3 {
            let harness = SourceHarness(try source(yaml))
            if round == 0 { usleep(500_000) }
            for number in 0..<6 {
                // Two tasks whose clocks differ.
                let time = Timestamp.now() - .milliseconds(number % 2 == 0 ? 0 : 300)
                written.append("r\(round) n\(number)")
                engine.write(
                    "\(written.last ?? "")\n", to: id("s"), task: "t\(number % 2)", at: time)
                engine.write("read through the service\n", to: id("a"))
            }
            seen += harness.texts(written.count - seen.count, cursors)
            seen += harness.stop(cursors)
        }
        #expect(seen == written)
    }

    @Test func readsOnce() throws {
        engine.run(subject("a", "web"))
        engine.write("one\n", to: id("a"), at: .now() - .seconds(7_200))
        engine.write("two\n", to: id("a"), at: .now() - .seconds(60))
        engine.end(id("a"))
        for (query, expected) in [
            ("", ["one", "two"]), ("&since=10m", ["two"]), ("&until=10m", ["one"]),
            ("&follow_stdout=false&follow_stderr=true", []),
        ] {
            let context = AcquisitionContext(metrics: Metrics(), log: SourceHarness.log)
            let dsn = "docker://web?docker_host=unix://\(engine.socketPath)\(query)"
            let queue = LineQueue()
            try Acquisition.replay(dsn: dsn, labels: [("type", "t")], context).run(into: queue, until: StopFlag())
            queue.close()
            var lines: [String] = []
            while case .batch(let batch) = queue.take(within: 100) {
                #expect(batch.place == .always)
                batch.withEachLine { lines.append(String($0)) }
            }
            #expect(lines == expected, "\(query)")
        }
        let context = AcquisitionContext(metrics: Metrics(), log: SourceHarness.log)
        #expect(throws: ConfigError.self) {
            try Acquisition.replay(
                dsn: "docker://nobody?docker_host=unix://\(engine.socketPath)", labels: [("type", "t")], context
            ).run(into: LineQueue(), until: StopFlag())
        }
    }

    @Test(arguments: [
        ("", "no container or service is selected"), ("container_name: [a]\nmode: server", "server"),
        ("container_name: [a]\nuse_container_labels: true", "mutually exclusive"),
        ("container_name_regexp: ['(']", "container_name_regexp"), ("container_name: [a]\nfoo: 1", "foo"),
        ("container_name: [a]\ndocker_host: ssh://x", "docker_host"), ("container_name: [a]\nsince: later", "since"),
        ("container_name: [a]\nfollow_stdout: false\nfollow_stderr: false", "nothing would be read"),
    ])
    func refuses(_ yaml: String, reason: String) throws {
        let node = try SourceHarness.yaml("source: docker\nlabels: {type: t}\n" + yaml)
        let error = #expect(throws: ConfigError.self) { try DockerSourceConfig(from: node) }
        #expect("\(try #require(error))".contains(reason), "\(error.map { "\($0)" } ?? "")")
    }

    @Test(arguments: [("", "empty"), ("x?foo=1", "unsupported key foo"), ("x?since=soon", "since")])
    func refusesDSN(_ dsn: String, reason: String) throws {
        let error = #expect(throws: ConfigError.self) { try DockerSourceConfig(dsn: dsn, labels: []) }
        #expect("\(try #require(error))".contains(reason))
    }

    @Test func cursorsSurviveTheirText() throws {
        var random = SeededRandom(11)
        for _ in 0..<200 {
            var cursors = DockerCursors(at: .now())
            for _ in 0..<Int.random(in: 0..<3_000, using: &random) {
                let time =
                    Timestamp.now()
                    + GoDuration(nanoseconds: Int64.random(in: -40_000_000...40_000_000, using: &random))
                _ = cursors.isNew(time, task: ["", "a", "b"].randomElement(using: &random) ?? "")
            }
            var again = try #require(DockerCursors(cursors.text))
            #expect(again.text == cursors.text && again.since == cursors.since)
            #expect(cursors.text.utf8.count < 32_000)
            // What was read is not new again.
            for (task, cursor) in cursors.byTask {
                for time in cursor.times {
                    let isNew = again.isNew(Timestamp(nanoseconds: time), task: task)
                    #expect(!isNew)
                }
            }
        }
        for text in ["", "x", "=", "a=b", "=1,zz,-5", "=99999999999999999999"] { #expect(DockerCursors(text) == nil) }
    }
}
