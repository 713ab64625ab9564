import CrowdCore
import Testing

@Suite("Alert models") struct AlertTests {
    /// As an agent sends it; the address is from a documentation range.
    static let agentAlert = """
        [{"capacity":5,"decisions":null,"events":[{"meta":[{"key":"log_type","value":"ssh_failed-auth"}],\
        "timestamp":"2026-11-21T08:17:29Z"}],"events_count":6,"labels":null,"leakspeed":"10s",\
        "message":"Ip 203.0.113.9 performed 'crowdsecurity/ssh-bf'","remediation":true,\
        "scenario":"crowdsecurity/ssh-bf","scenario_hash":"4441","scenario_version":"0.1","simulated":false,\
        "source":{"ip":"203.0.113.9","scope":"Ip","value":"203.0.113.9","latitude":48.8566},\
        "start_at":"2026-11-21T08:17:29.734864822Z","stop_at":"2026-11-21T08:17:29.735392009Z"}]
        """

    @Test func readsAndWritesTheSame() throws {
        let alerts = try Alert.list(from: Array(Self.agentAlert.utf8))
        let alert = try #require(alerts.first)
        #expect(alert.eventsCount == 6)
        #expect(alert.events.first?.meta == [MetaItem(key: "log_type", value: "ssh_failed-auth")])
        #expect(alert.source.latitude == 48.8566)
        #expect(alert.remediation && alert.decisions == nil)
        var writer = JSONWriter()
        writer.beginArray()
        alert.write(to: &writer)
        writer.endArray()
        #expect(try Alert.list(from: writer.bytes) == alerts)
        #expect(String(decoding: writer.bytes, as: UTF8.self).contains(#""latitude":48.8566,"#))
    }

    @Test(arguments: [
        ("capacity", "0.capacity"), ("source", "0.source"), ("scope", "0.source.scope"), ("stop_at", "0.stop_at"),
        ("meta", "0.events.0.meta"), ("timestamp", "0.events.0.timestamp"), ("simulated", "0.simulated"),
    ])
    func namesTheMissingMember(_ key: String, _ path: String) {
        let text = Self.agentAlert.replacing("\"\(key)\":", with: "\"x_\(key)\":")
        #expect(throws: WireError.missing([path])) { try Alert.list(from: Array(text.utf8)) }
        #expect(WireError.missing([path]).description == "validation failure list:\n\(path) in body is required")
    }

    @Test func nullIsMissingToo() {
        let text = Self.agentAlert.replacing("\"capacity\":5", with: "\"capacity\":null")
        #expect(throws: WireError.missing(["0.capacity"])) { try Alert.list(from: Array(text.utf8)) }
    }

    @Test func emptyObjectLacksEverything() {
        #expect {
            try Alert.list(from: Array("[{}]".utf8))
        } throws: { error in
            (error as? WireError)?.description.hasPrefix(
                """
                validation failure list:
                0.capacity in body is required
                0.events in body is required
                0.events_count in body is required
                """) == true
        }
    }

    @Test func answersMayLackLists() throws {
        let text = Self.agentAlert.replacing("\"events\":[", with: "\"events\":null,\"x\":[")
        #expect(throws: WireError.missing(["0.events"])) { try Alert.list(from: Array(text.utf8)) }
        #expect(try Alert.list(from: Array(text.utf8), strict: false).first?.events == [])
        #expect(try Alert.list(from: Array("null".utf8)) == [])
    }

    /// Only requests are refused for what they lack, and so may be given up half read.
    @Test func noneOfManyAnswersIsLeftOut() throws {
        let text = "[" + String(repeating: #"{"id":1,"events":null},"#, count: 2_000) + "{}]"
        #expect(try Alert.list(from: Array(text.utf8), strict: false).count == 2_001)
        guard
            case .missing(let paths) = #expect(
                throws: WireError.self, performing: { try Alert.list(from: Array(text.utf8)) })
        else { return }
        #expect(paths.count == 1_000 && paths.first == "0.capacity")
    }

    @Test func decisionsNeedTheirSixMembers() {
        let text = Self.agentAlert.replacing("\"decisions\":null", with: "\"decisions\":[{\"id\":3,\"scope\":\"Ip\"}]")
        let missing = ["duration", "origin", "scenario", "type", "value"].map { "0.decisions.0.\($0)" }
        #expect(throws: WireError.missing(missing)) { try Alert.list(from: Array(text.utf8)) }
    }
}
