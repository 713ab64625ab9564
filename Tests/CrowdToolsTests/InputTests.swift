import CrowdCore
import CrowdHTTP
import Testing

@testable import CrowdTools

@Suite("Input of commands") struct InputTests {
    struct Table: Sendable, CustomTestStringConvertible {
        var text: String
        var rows: [[String: String]]
        var testDescription: String { text }
    }

    @Test(arguments: [
        Table(text: "", rows: []), Table(text: "value\n", rows: []),
        Table(text: "value,comment\n1.2.3.4, hi \n", rows: [["value": "1.2.3.4", "comment": "hi"]]),
        Table(text: "Value\r\n1.2.3.4\r\n\r\n5.6.7.8", rows: [["value": "1.2.3.4"], ["value": "5.6.7.8"]]),
        Table(text: "value,comment\na,\"x, \"\"y\"\"\nz\"", rows: [["value": "a", "comment": "x, \"y\"\nz"]]),
        Table(text: "value\na,b,c\n", rows: [["value": "a"]]),
    ])
    func csv(_ table: Table) throws { #expect(try CSVReader.rows(in: Array(table.text.utf8)) == table.rows) }

    @Test func anOpenQuoteIsAnError() {
        #expect(throws: CommandError.self) { try CSVReader.rows(in: Array("value\n\"a".utf8)) }
    }

    private static func read(_ text: String, _ format: DecisionImport.Format) throws -> [Decision] {
        try DecisionFile(defaults: FlagValues(DecisionImport.flags)).read(Array(text.utf8), as: format)
    }

    @Test func decisionsTakeDefaults() throws {
        let expected = Decision(
            origin: "cscli-import", type: "ban", scope: "Ip", value: "1.2.3.4", scenario: "manual", duration: "4h")
        #expect(try Self.read("  1.2.3.4 \n\n", .values) == [expected])
        #expect(try Self.read("value,type\n1.2.3.4,\n", .csv) == [expected])
        #expect(try Self.read("[{\"value\":\"1.2.3.4\",\"more\":1}]", .json) == [expected])
    }

    @Test func decisionsSayWhatTheyAre() throws {
        let text = "value,scope,type,duration,reason\n10.0.0.0/8,range,captcha,1h,list\n"
        let decision = try #require(try Self.read(text, .csv).first)
        #expect(decision.scope == "Range" && decision.type == "captcha")
        #expect(decision.duration == "1h" && decision.scenario == "list")
    }

    @Test(arguments: [
        ("[{\"scope\":\"ip\"}]", "item 0: missing 'value'"),
        ("{}", "json: cannot unmarshal object into Go value of type []clidecision.decisionRaw"),
    ])
    func wrongDecisions(_ text: String, _ message: String) {
        #expect(throws: CommandError(message)) { try Self.read(text, .json) }
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080/", String?.none), ("https://[::1]:8080/", nil), ("http://lapi/", nil),
        ("http://127.0.0.1:-80/", "parse \"http://127.0.0.1:-80/\": invalid port \":-80\" after host"),
        ("$URL/", "BaseURL must have a trailing slash, but $URL/ is no URL"),
    ])
    func addresses(_ url: String, _ message: String?) {
        var found: String?
        do { try LocalAPIAddress.check(url) } catch { found = error.message }
        #expect(found == message)
    }

    @Test(arguments: [
        (
            LAPICredentials.Endpoint.url("http://127.0.0.1:8080/"), "Failed to connect: Couldn't connect to server",
            "Post \"http://127.0.0.1:8080/v1/watchers/login\": dial tcp 127.0.0.1:8080: connect: connection refused"
        ),
        (
            .url("https://lapi.example:8080/"), "Could not resolve host: lapi.example",
            "Post \"https://lapi.example:8080/v1/watchers/login\": dial tcp: lookup lapi.example: no such host"
        ),
        (
            .socket("/nonexistent.sock"), "Failed to connect to unix port 80: Couldn't connect to server",
            "Post \"http://unix/v1/watchers/login\": dial unix /nonexistent.sock: connect: no such file or directory"
        ),
    ])
    func failedLogIns(_ endpoint: LAPICredentials.Endpoint, _ reason: String, _ text: String) {
        #expect(GoNetworkError.logIn(.unreachable(reason), at: endpoint) == text)
    }

    @Test(arguments: [
        ("Config.Prometheus.ListenPort", "6060"), ("Config.Prometheus.Level", "full"), ("Config.Crowdsec", "nil"),
        ("Config.Crowdsec.Enable", "nil"), ("Config.API.Server.Enable", "&false"),
        ("Config.ConfigPaths.DataDir", "/data"), ("Config.Common.LogLevel", "4"),
        ("Config.API.Server.Enable == false", "true"), ("Config.Crowdsec == nil", "true"),
        ("Config.ConfigPaths.DataDir + '/x'", "/data/x"), ("len(Config.API.Server.TrustedIPs)", "0"),
    ])
    func configurationKeys(_ key: String, _ shown: String) throws {
        let yaml = "config_paths: {config_dir: /c, data_dir: /data}\napi: {server: {enable: false}}\n"
        let node = try #require(try YAML.documents(Array(yaml.utf8), file: "/c/config.yaml").first ?? nil)
        #expect(try ConfigCommands.value(of: key, in: try SuiteConfig(from: node, path: "/c/config.yaml")) == shown)
    }
}
