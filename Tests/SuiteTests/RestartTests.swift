import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

/// Every line counts once, whatever becomes of the agent: the alerts' events are the lines that were written.
@Suite("Restarts of the agent", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct RestartTests {
    private static let sources = (1...20).map { "198.51.100.\($0)" }

    /// What the Local API has about each source: the names that were tried, over all alerts.
    private func names(_ host: TestHost) throws -> [String: [String]] {
        var names: [String: [String]] = [:]
        let list = try JSON.parse(Array(host.cscli("alerts list --limit 0 -o json").utf8))
        for alert in list.array ?? [] {
            let value = alert["source"]?["value"]?.string ?? ""
            for event in alert["events"]?.array ?? [] {
                for item in event["meta"]?.array ?? [] where item["key"]?.string == "target_user" {
                    names[value, default: []].append(item["value"]?.string ?? "")
                }
            }
        }
        return names
    }

    private func expect(_ host: TestHost, _ numbers: ClosedRange<Int>) throws {
        let wanted = numbers.map { "u\($0)x" }.sorted()
        let isThere = try host.waits(seconds: 20) {
            let found = try names(host)
            return Self.sources.allSatisfy { found[$0]?.sorted() == wanted }
        }
        if !isThere {
            let found = try names(host)
            for source in Self.sources { #expect(found[source]?.sorted() == wanted, "\(source)") }
        }
    }

    @Test(arguments: [1, 3]) func killedAtAnyMoment(parsers: Int) throws {
        let host = try ExactAlerts.makeHost(parsers: parsers)
        _ = try host.startLAPI()
        var agent = try host.startAgent()
        for number in 1...18 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: host.followed) }
            usleep(UInt32(number % 5) * 4_000)
            if number % 2 == 0 {
                agent.kill()
                agent = try host.startAgent()
            }
        }
        try expect(host, 1...18)
    }

    @Test func stoppedBetweenTwoLines() throws {
        let host = try ExactAlerts.makeHost()
        _ = try host.startLAPI()
        for number in 1...6 {
            let agent = try host.startAgent()
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: host.followed) }
            if number < 6 { #expect(agent.stop() == 0) }
        }
        try expect(host, 1...6)
    }

    @Test func linesOfTheTimeInBetween() throws {
        let host = try ExactAlerts.makeHost()
        _ = try host.startLAPI()
        let agent = try host.startAgent()
        for source in Self.sources { AttackLog.append(ExactAlerts.line(source, 1), to: host.followed) }
        #expect(agent.stop() == 0)
        for number in 2...3 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: host.followed) }
        }
        rename(host.followed, host.followed + ".1")
        for source in Self.sources { AttackLog.append(ExactAlerts.line(source, 4), to: host.followed) }
        _ = try host.startAgent()
        for number in 5...6 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: host.followed) }
        }
        try expect(host, 1...6)
    }

    @Test(arguments: [1, 3]) func reloadedBetweenTwoLines(parsers: Int) throws {
        let host = try ExactAlerts.makeHost(parsers: parsers)
        _ = try host.startLAPI()
        let agent = try host.startAgent()
        for number in 1...6 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: host.followed) }
            #expect(agent.reload())
        }
        try expect(host, 1...6)
    }

    /// What brought down the agent five times is not tried for ever.
    @Test func aRecoveryThatFailsAgainAndAgainIsCutShort() throws {
        let host = try ExactAlerts.makeHost()
        _ = try host.startLAPI()
        var agent = try host.startAgent()
        for number in 1...3 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: host.followed) }
        }
        // The last batch is noted with the place it ends at: the end of the log.
        let end = withUnsafeBytes(of: Int64(try FileContents.read(host.followed).count).littleEndian, Array.init)
        let redo = host.path + "/data/crowd-agent/redo.1"
        #expect(try host.waits { (try? FileContents.read(redo))?.firstRange(of: end) != nil })
        agent.kill()
        try host.directory.write("data/crowd-agent/recovering", "5")
        agent = try host.startAgent()
        #expect(host.log("crowdsec.log").contains("Lines since the last checkpoint are left out"))
        for number in 4...9 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: host.followed) }
        }
        try expect(host, 4...9)
        #expect(!FileContents.exists(host.path + "/data/crowd-agent/recovering"))
        #expect(agent.stop() == 0)
    }

    @Test func aDamagedCheckpointIsSaidAndTheAgentStarts() throws {
        let host = try ExactAlerts.makeHost()
        _ = try host.startLAPI()
        var agent = try host.startAgent()
        #expect(agent.stop() == 0)
        let path = host.path + "/data/crowd-agent/checkpoint"
        var bytes = try FileContents.read(path)
        bytes[bytes.count / 2] ^= 1
        try host.directory.write("data/crowd-agent/checkpoint", bytes)
        agent = try host.startAgent()
        #expect(host.log("crowdsec.log").contains("The checkpoint cannot be read"))
        for number in 1...6 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: host.followed) }
        }
        try expect(host, 1...6)
    }

    /// A container's log has nothing but times to go on with.
    @Test func killedWhileAContainerIsFollowed() throws {
        let host = try ExactAlerts.makeHost()
        let engine = try FakeDockerEngine(socketPath: host.path + "/docker.sock")
        let id = String(repeating: "a", count: 64)
        engine.run(FakeDockerEngine.Subject(id: id, name: "ssh"))
        try host.directory.write(
            "etc/acquis.d/docker.yaml",
            "source: docker\ncontainer_name: [ssh]\ndocker_host: unix://\(engine.socketPath)\nlabels: {type: syslog}\n")
        _ = try host.startLAPI()
        var agent = try host.startAgent()
        for number in 1...12 {
            for source in Self.sources { engine.write(ExactAlerts.line(source, number), to: id) }
            usleep(UInt32(number % 4) * 10_000)
            if number % 2 == 0 {
                agent.kill()
                agent = try host.startAgent()
            }
        }
        try expect(host, 1...12)
    }

    /// A log that comes into being while no agent runs is read from its start; one that was there is not.
    @Test func aFileThatAppearedMeanwhile() throws {
        let host = try ExactAlerts.makeHost()
        try host.directory.write("old-0.log", ExactAlerts.line(Self.sources[0], 99))
        try host.follow([host.followed, host.path + "/*-0.log"])
        _ = try host.startLAPI()
        let agent = try host.startAgent()
        #expect(agent.stop() == 0)
        // Longer than a new file may go unseen by an agent that runs.
        usleep(2_100_000)
        let new = host.path + "/new-0.log"
        for number in 1...3 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: new) }
        }
        _ = try host.startAgent()
        for number in 4...6 {
            for source in Self.sources { AttackLog.append(ExactAlerts.line(source, number), to: new) }
        }
        try expect(host, 1...6)
    }

    /// What a sender over HTTP got an answer for survives a kill right after it.
    @Test func killedAfterAnAnswerOverHTTP() throws {
        let host = try ExactAlerts.makeHost()
        let socket = host.path + "/http.sock"
        try host.directory.write(
            "etc/acquis.d/http.yaml",
            """
            source: http
            listen_socket: \(socket)
            auth_type: headers
            headers: {X-Key: secret}
            labels: {type: syslog}
            transform: JsonExtract(evt.Line.Raw, "line")

            """)
        let post = """
            import http.client, json, socket, sys
            connection = http.client.HTTPConnection("x")
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(sys.argv[1])
            lines = open(sys.argv[2]).read().splitlines()
            connection.request("POST", "/", "".join(json.dumps({"line": l}) for l in lines), {"X-Key": "secret"})
            sys.exit(connection.getresponse().status != 200)
            """
        _ = try host.startLAPI()
        var agent = try host.startAgent()
        for number in 1...6 {
            let lines = try host.directory.write(
                "lines", Self.sources.map { ExactAlerts.line($0, number) }.joined())
            #expect(try Command.run(["python3", "-c", post, socket, lines]).status == 0)
            agent.kill()
            agent = try host.startAgent()
        }
        try expect(host, 1...6)
    }
}
