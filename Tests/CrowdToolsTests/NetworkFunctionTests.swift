import CrowdCore
import CrowdEngine
import CrowdExpr
import CrowdTestSupport
import Testing

/// Helper functions over GeoIP databases and name servers, in items that name such databases.
@Suite("Functions over databases and names") struct NetworkFunctionTests {
    @Test func geographyIsThatOfTheItemsDatabases() throws {
        guard let mirror = SharedMaterial.path("hub-data/mmdb_update") else { return }
        let directory = try TemporaryDirectory()
        let expressions = [
            ("country", "IPToCountry('1.2.3.4')"), ("nowhere", "IPToCountry('127.0.0.1') + '-'"),
            ("city", "GeoIPEnrich('9.8.8.8').Country.IsoCode"), ("unset", "GeoIPEnrich('no') == nil ? 'nil' : 'some'"),
            ("system", "GeoIPASNEnrich('1.2.3.4') == nil ? 'nil' : 'some'"),
            ("host", "any(LookupHost('localhost'), # in ['127.0.0.1', '::1']) ? 'yes' : 'no'"),
            ("none", "len(LookupHost('no such name')) == 0 ? 'yes' : 'no'"),
        ]
        let statics = expressions.map { "  - {meta: \($0.0), expression: \"\($0.1)\"}" }.joined(separator: "\n")
        let path = try directory.write(
            "geo.yaml",
            """
            name: test/geo
            filter: "true"
            data:
              - {source_url: 'x', dest_file: GeoLite2-City.mmdb}
              - {source_url: 'y', dest_file: GeoLite2-ASN.mmdb}
            statics:
            \(statics)
              - {meta: source_ip, value: 192.0.2.1}
            """)
        let scenario = try directory.write(
            "all.yaml",
            "type: trigger\nname: test/all\ndescription: d\nfilter: 'true'\ngroupby: evt.Meta.source_ip\nlabels: {a: b}\n"
        )
        var items = ContentFiles.Installed()
        items.parsers = [ItemFile(path: path, stage: "s01-parse")]
        items.scenarios = [ItemFile(path: scenario)]
        var loader = ContentLoader(patternDirectory: "/nonexistent", dataDirectory: mirror)
        let content = loader.load(items)
        #expect(content.refused.isEmpty, "\(content.refused)")
        let seen = Seen()
        let worker = Worker(content, observer: seen)
        let origin = LineOrigin(source: "x", module: "file", labels: [("type", "x")], isReplay: false)
        worker.process(ByteSlice("line"), from: origin, at: .now())
        let meta = seen.alerts.first?.events.first?.meta ?? []
        let found = Dictionary(uniqueKeysWithValues: meta.map { ($0.key, $0.value) })
        for (key, value) in [
            ("country", "AU"), ("nowhere", "-"), ("city", "US"), ("unset", "nil"), ("host", "yes"), ("none", "yes"),
        ] { #expect(found[key] == value, "\(key)") }
    }

    private final class Seen: WorkerObserver {
        var alerts: [Alert] = []
        func raised(_ alerts: [RaisedAlert]) { self.alerts += alerts.map(\.alert) }
        func ignored(_ alert: Alert, reason: String) {}
        func failed(scenario: String, _ reason: String) {}
    }
}
