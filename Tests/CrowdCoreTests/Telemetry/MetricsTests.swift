import CrowdCore
import CrowdTestSupport
import Testing

@Suite("Metrics") struct MetricsTests {
    @Test func expositionIsPrometheusText() {
        let metrics = Metrics()
        metrics.counter(.parserHits, [("source", "a\"b"), ("type", "file")]).add(3)
        metrics.counter(.parserHits, [("source", "a\"b"), ("type", "file")]).add(1)
        metrics.gauge(.buckets, [("name", "x")]).set(1.5)
        metrics.histogram(.parsingTime, [("type", "file")], bounds: [0.5, 1]).observe(0.7, count: 2)
        #expect(
            String(decoding: metrics.exposition(), as: UTF8.self) == """
                # HELP cs_buckets Number of buckets that currently exist.
                # TYPE cs_buckets gauge
                cs_buckets{name="x"} 1.5
                # HELP cs_parser_hits_total Total events entered the parser.
                # TYPE cs_parser_hits_total counter
                cs_parser_hits_total{source="a\\"b",type="file"} 4
                # HELP cs_parsing_time_seconds Time spent parsing a line
                # TYPE cs_parsing_time_seconds histogram
                cs_parsing_time_seconds_bucket{type="file",le="0.5"} 0
                cs_parsing_time_seconds_bucket{type="file",le="1"} 2
                cs_parsing_time_seconds_bucket{type="file",le="+Inf"} 2
                cs_parsing_time_seconds_sum{type="file"} 1.4
                cs_parsing_time_seconds_count{type="file"} 2

                """)
    }

    @Test(arguments: [(PrometheusConfig.Level.full, 2), (.aggregated, 1), (.none, 0)])
    func levelsLeaveOutDetail(_ level: PrometheusConfig.Level, _ families: Int) {
        let metrics = Metrics(level: level)
        metrics.counter(.nodeHits).add()
        metrics.counter(.parserHits).add()
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(text.split(separator: "\n").filter { $0.hasPrefix("# TYPE") }.count == families)
    }

    @Test func scrapeHooksReplaceGauges() {
        let metrics = Metrics()
        metrics.gauge(.alerts, [("reason", "old")]).set(1)
        metrics.onScrape { $0.replaceGauges(.alerts, with: [([("reason", "new")], 2)]) }
        let text = String(decoding: metrics.exposition(), as: UTF8.self)
        #expect(text.hasSuffix("cs_alerts{reason=\"new\"} 2\n"))
        #expect(!text.contains("old"))
    }

    @Test(arguments: [
        ("GET /metrics HTTP/1.0\r\n\r\n", "200 OK", "cs_parser_hits_total 7"),
        ("GET / HTTP/1.0\r\n\r\n", "404 Not Found", "404"),
        ("POST /metrics HTTP/1.0\r\n\r\n", "405 Method Not Allowed", "method"),
        ("GET /metrics?x=1 HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", "cs_parser_hits_total 7"),
        ("GET /metrics HTTP/1.1\nHost: x\n\n", "200 OK", "cs_parser_hits_total 7"),
        ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK", "Connection: close"),
        ("hello\r\n\r\n", "400 Bad Request", "bad"),
        ("GET /metrics SSH/2\r\n\r\n", "400 Bad Request", "bad"),
        ("GET /" + String(repeating: "a", count: 20_000), "431 Request Header Fields Too Large", "large"),
    ])
    func theListenerServesThem(_ request: String, _ status: String, _ content: String) throws {
        let metrics = Metrics()
        metrics.counter(.parserHits).add(7)
        let listener = try MetricsListener(address: "127.0.0.1", port: 0, metrics: metrics)
        let answer = try Loopback.exchange(port: listener.port, request)
        #expect(answer.contains(status))
        #expect(answer.contains(content))
    }

    @Test func connectionsThatSayNothingDoNotKeepOthersOut() throws {
        let listener = try MetricsListener(address: "127.0.0.1", port: 0, metrics: Metrics())
        let silent = try (0..<15).map { _ in try Loopback.connection(port: listener.port) }
        #expect(try Loopback.exchange(port: listener.port, "GET /metrics HTTP/1.0\r\n\r\n").contains("200 OK"))
        withExtendedLifetime(silent) {}
    }

    @Test func aReleasedListenerGivesItsPortBack() throws {
        var first: MetricsListener? = try MetricsListener(address: "127.0.0.1", port: 0, metrics: Metrics())
        let port = try #require(first?.port)
        first = nil
        let second = try MetricsListener(address: "127.0.0.1", port: port, metrics: Metrics())
        #expect(try Loopback.exchange(port: second.port, "GET /metrics HTTP/1.0\r\n\r\n").contains("200 OK"))
    }

    @Test func aTakenPortIsAClearErrorOrTheNextOne() throws {
        let first = try MetricsListener(address: "127.0.0.1", port: 0, metrics: Metrics())
        var config = PrometheusConfig()
        config.enabled = true
        config.listenPort = first.port
        let error = #expect(throws: ConfigError.self) { _ = try MetricsListener.start(config, metrics: Metrics()) }
        #expect(error?.description == "listen tcp 127.0.0.1:\(first.port): bind: address already in use")
        let second = try? MetricsListener.start(config, metrics: Metrics(), mayTakeNextPort: true)
        #expect(second == nil || second?.port == first.port + 1)
    }
}
