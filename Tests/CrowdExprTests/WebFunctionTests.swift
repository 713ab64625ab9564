import CrowdCore
import CrowdExpr
import Synchronization
import Testing

/// Functions that ask others: HTTP, reputations, known bots, libinjection.
@Suite("Functions that ask others") struct WebFunctionTests {
    /// Answers from a table, and remembers what was asked.
    private final class Table: WebAccess {
        let asked = Mutex<[WebQuestion]>([])
        private let answers: [String: WebAnswer]

        init(_ answers: [String: WebAnswer]) { self.answers = answers }

        func ask(_ question: WebQuestion) throws(ValueError) -> WebAnswer {
            asked.withLock { $0.append(question) }
            guard let answer = answers[question.url] else { throw ValueError("\(question.url) is down") }
            return answer
        }
    }

    private struct Resources: ExprResources {
        var web: (any WebAccess)?
        var reputations: Reputations?
        func isKnownBot(_ address: IPAddress, _ userAgent: ByteSlice, path: ByteSlice, in file: String) -> Bool? {
            switch file {
            case "empty.json": false
            case "bots.json":
                address.description == "192.0.2.1" && userAgent == ByteSlice("bot") && path == ByteSlice("/p")
            default: nil
            }
        }
    }

    private func answer(_ source: String, _ resources: Resources) -> String {
        let environment = Environment(functions: CrowdSecFunctions.all(resources))
        let machine = Machine(event: Event(keys: KeyTable()))
        do throws(ExprError) {
            let value = try Program(source, in: environment).value(on: machine)
            return (try? ValueJSON.text(value, escapingHTML: false)) ?? "?"
        } catch {
            return "error: \(error.message)"
        }
    }

    private static let pages: [String: WebAnswer] = [
        "http://a/": WebAnswer(
            status: 200, headers: [("content-type", "text/plain"), ("set-cookie", "a"), ("set-cookie", "b")],
            body: Array("hello".utf8)),
        "http://a/404": WebAnswer(status: 404),
    ]

    @Test(arguments: [
        ("HTTPGet('http://a/').StatusCode", "200"), ("HTTPGet('http://a/').Body", "\"hello\""),
        ("HTTPHead('http://a/404').StatusCode == 404", "true"),
        ("HTTPGet('http://a/').Headers['Content-Type'][0]", "\"text/plain\""),
        ("HTTPGet('http://a/').Headers['Set-Cookie']", "[\"a\",\"b\"]"),
        ("HTTPPost('http://a/', 'text/plain', 'x').Body contains 'ell'", "true"),
        ("HTTPRequest('put', 'http://a/', {'X-A': 'b'}, 'y').StatusCode", "200"),
        ("HTTPGet('http://b/').StatusCode", "error: http://b/ is down"),
        ("HTTPPost('http://a/', 'a\\r\\nb: c', 'x').Body", "error: a header may have no control characters"),
        ("HTTPRequest('GET', 'http://a/', {'X-A': 1}, '').Body", "error: header X-A must be a string"),
        ("HTTPGet('http://a/').Nothing", "error: type exprhelpers.HTTPResponse has no field Nothing"),
    ])
    func http(source: String, expected: String) {
        #expect(answer(source, Resources(web: Table(Self.pages))) == expected)
    }

    @Test func whatIsAsked() {
        let table = Table(Self.pages)
        let resources = Resources(web: table)
        _ = answer("HTTPPost('http://a/', 'text/plain', 'x')", resources)
        _ = answer("HTTPRequest('delete', 'http://a/', {'X-A': 'b'}, '')", resources)
        #expect(
            table.asked.withLock { $0 } == [
                WebQuestion("POST", "http://a/", headers: [("Content-Type", "text/plain")], body: Array("x".utf8)),
                WebQuestion("DELETE", "http://a/", headers: [("X-A", "b")]),
            ])
    }

    @Test(arguments: ["HTTPGet('http://a/')", "CrowdsecCTI('192.0.2.1')"])
    func whereNobodyMayAsk(_ source: String) { #expect(answer(source, Resources()).hasPrefix("error: ")) }

    // MARK: reputations

    private static let bad = """
        {"ip": "192.0.2.1", "background_noise_score": 7,
         "behaviors": [{"name": "ssh:bruteforce", "label": "x"}, {"name": "http:scan"}],
         "attack_details": [{"name": "crowdsecurity/ssh-bf"}],
         "classifications": {"false_positives": [], "classifications": [{"name": "profile:insecure_services"}]},
         "scores": {"overall": {"total": 5}, "last_day": {"total": 4}}}
        """
    private static let listed = """
        {"classifications": {"classifications": [{"name": "community-blocklist"}], "false_positives": [{"name": "cdn"}]},
         "background_noise_score": null, "scores": {"last_day": {"total": 1}}}
        """
    private static let service = "https://cti.api.crowdsec.net/v2/smoke/"

    private static var ctiTable: Table {
        Table([
            service + "192.0.2.1": WebAnswer(status: 200, body: Array(bad.utf8)),
            service + "192.0.2.2": WebAnswer(status: 200, body: Array(listed.utf8)),
            service + "192.0.2.3": WebAnswer(status: 404), service + "192.0.2.4": WebAnswer(status: 429),
            service + "192.0.2.5": WebAnswer(status: 403), service + "192.0.2.6": WebAnswer(status: 200, body: [1]),
            service + "192.0.2.7": WebAnswer(status: 500),
        ])
    }

    @Test(arguments: [
        ("CrowdsecCTI('192.0.2.1').GetBackgroundNoiseScore()", "7"),
        ("CrowdsecCTI('192.0.2.1').GetMaliciousnessScore()", "0.4"),
        ("'crowdsecurity/ssh-bf' in CrowdsecCTI('192.0.2.1').GetAttackDetails()", "true"),
        ("CrowdsecCTI('192.0.2.1').GetBehaviors()", "[\"ssh:bruteforce\",\"http:scan\"]"),
        ("CrowdsecCTI('192.0.2.1').GetClassifications()", "[\"profile:insecure_services\"]"),
        ("CrowdsecCTI('192.0.2.1').IsPartOfCommunityBlocklist()", "false"),
        ("CrowdsecCTI('192.0.2.1').IsFalsePositive()", "false"),
        ("CrowdsecCTI('192.0.2.2').IsPartOfCommunityBlocklist()", "true"),
        ("CrowdsecCTI('192.0.2.2').GetMaliciousnessScore()", "1"),
        ("CrowdsecCTI('192.0.2.2').GetFalsePositives()", "[\"cdn\"]"),
        ("CrowdsecCTI('192.0.2.2').IsFalsePositive()", "true"),
        ("CrowdsecCTI('192.0.2.2').GetBackgroundNoiseScore()", "0"),
        ("CrowdsecCTI('192.0.2.3').GetMaliciousnessScore()", "0"),
        ("CrowdsecCTI('192.0.2.4').IsFalsePositive()", "error: CTI was asked too often"),
        ("CrowdsecCTI('192.0.2.5').IsFalsePositive()", "error: CTI refused the API key"),
        ("CrowdsecCTI('192.0.2.7').IsFalsePositive()", "error: CTI answered with status 500"),
        ("CrowdsecCTI('../secret').IsFalsePositive()", "error: '../secret' is no address"),
    ])
    func reputation(source: String, expected: String) {
        let reputations = Reputations(key: "k", lifetime: .seconds(60), capacity: 10, web: Self.ctiTable)
        #expect(answer(source, Resources(reputations: reputations)) == expected)
    }

    /// What is known is not asked again, nor is anything after a refusal.
    @Test func itIsAskedOnce() {
        let table = Self.ctiTable
        let resources = Resources(
            reputations: Reputations(key: "k", lifetime: .seconds(60), capacity: 1, web: table))
        func ask(_ last: Int) { _ = answer("CrowdsecCTI('192.0.2.\(last)').IsFalsePositive()", resources) }
        for last in [1, 1, 2, 2, 1, 6, 6, 5, 5, 2, 3] { ask(last) }
        let asked = table.asked.withLock { $0.map { String($0.url.suffix(1)) } }
        #expect(asked == ["1", "2", "1", "6", "6", "5"])
        #expect(table.asked.withLock { $0[0].headers.elementsEqual([("x-api-key", "k")]) { $0 == $1 } })
    }

    @Test func nothingIsKeptWithoutACache() {
        let table = Self.ctiTable
        let resources = Resources(reputations: Reputations(key: "k", lifetime: .zero, capacity: 0, web: table))
        for _ in 0..<2 { _ = answer("CrowdsecCTI('192.0.2.1').IsFalsePositive()", resources) }
        #expect(table.asked.withLock { $0.count } == 2)
    }

    // MARK: bots, injections

    @Test(arguments: [
        ("MatchKnownBot('192.0.2.1', 'bot', '/p', 'bots.json')", "true"),
        ("MatchKnownBot('192.0.2.1', 'bot', '/p', 'empty.json', 'bots.json')", "true"),
        ("MatchKnownBot('192.0.2.1', 'bot', '/p', 'missing.json')", "false"),
        ("MatchKnownBot('192.0.2.1', 'bot', '/p')", "false"),
        ("MatchKnownBot('192.0.2.2', 'bot', '/p', 'bots.json')", "false"),
        ("MatchKnownBot('nobody', 'bot', '/p', 'bots.json')", "false"),
    ])
    func knownBots(source: String, expected: String) { #expect(answer(source, Resources()) == expected) }

    /// Either the library is there and knows a plain attack from a plain word, or the expression says what is missing.
    @Test(arguments: [
        ("LibInjectionIsSQLI", "1' OR '1'='1' --", true), ("LibInjectionIsSQLI", "hello", false),
        ("LibInjectionIsSQLI", "", false), ("LibInjectionIsXSS", "<script>alert(1)</script>", true),
        ("LibInjectionIsXSS", "hello", false), ("LibInjectionIsXSS", "", false),
    ])
    func injections(name: String, text: String, expected: Bool) {
        let answer = answer("\(name)(\(text.inDoubleQuotes))", Resources())
        if answer.hasPrefix("error") {
            #expect(answer == "error: \(name) needs libinjection: libmodsecurity.so.3 is not installed")
        } else {
            #expect(answer == "\(expected)")
        }
    }
}
