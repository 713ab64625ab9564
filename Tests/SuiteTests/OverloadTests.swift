import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

/// More than can be parsed, from a source that can wait and from one that cannot.
@Suite("Overload", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(10)))
struct OverloadTests {
    private static let lines = 150_000
    private static let datagrams = 60_000
    /// Of a debug build, its libraries included; the lines of this test alone are 15 MB.
    private static let ceilingKilobytes = 80_000

    private func configure(_ host: TestHost) throws {
        try host.register()
        try host.directory.write("bulk.log", "")
        try host.directory.write(
            "etc/acquis.d/overload.yaml",
            """
            filename: \(host.path)/bulk.log
            labels: {type: syslog, crowd_priority: low}
            ---
            source: syslog
            listen_port: 5140
            labels: {type: syslog}
            """)
    }

    private static let flood = """
        import socket, sys
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for n in range(\(datagrams)):
            s.sendto(b"<38>Nov 21 15:04:05 h app[1]: message number %d that nobody asked for" % n, ("127.0.0.1", 5140))
        """

    private static let scrape = """
        import urllib.request
        print(urllib.request.urlopen("http://127.0.0.1:6060/metrics").read().decode())
        """

    /// The sum of all series of a metric whose labels contain `part`.
    private func sum(_ text: String, _ metric: String, _ part: String) -> Int {
        text.split(separator: "\n").filter { $0.hasPrefix(metric + "{") && $0.contains(part) }.reduce(0) {
            $0 + (Double($1.split(separator: " ").last ?? "").map { Int($0) } ?? 0)
        }
    }

    private func metrics(_ host: TestHost) throws -> String { try host.python(Self.scrape).output }

    @Test func memoryHasACeilingAndNothingIsLostUncounted() throws {
        let host = try TestHost()
        try configure(host)
        let agent = try host.startAgent()
        let bulk = (0..<Self.lines).map {
            "Nov 21 15:04:05 edge01 app[1]: line \($0) with nothing in it for anybody at all\n"
        }
        let attack = AttackLog.bruteForce(by: "198.51.100.1")
        AttackLog.append(bulk.joined(), to: host.path + "/bulk.log")
        #expect(try host.python(Self.flood, seconds: 60).status == 0)
        AttackLog.append(attack, to: host.followed)
        AttackLog.append(attack.replacing("100.1", with: "100.2"), to: host.path + "/bulk.log")
        var sawLag = false
        let isDone = try host.waits(seconds: 120) {
            let text = try metrics(host)
            sawLag = sawLag || sum(text, "cs_source_lag_bytes", "bulk.log") > 0
            let known =
                sum(text, "cs_parser_hits_total", "type=\"syslog\"") + sum(text, "cs_lines_dropped_total", "syslog")
            return sum(text, "cs_parser_hits_total", "bulk.log") == Self.lines + 8 && known == Self.datagrams
        }
        let text = try metrics(host)
        #expect(
            isDone,
            "\(text.split(separator: "\n").filter { $0.contains("parser_hits_total") || $0.contains("dropped") })")
        #expect(sawLag)
        #expect(sum(text, "cs_source_lag_bytes", "") == 0 && sum(text, "cs_source_lag_seconds", "") == 0)
        let spool = host.path + "/data/crowd-agent/alerts.spool"
        for address in ["198.51.100.1", "198.51.100.2"] {
            #expect(try host.waits { Command.text(spool).contains("\"\(address)\"") })
        }
        let peak = agent.peakKilobytes
        print("overload: peak resident memory \(peak) kB, dropped \(sum(text, "cs_lines_dropped_total", ""))")
        #expect(peak > 0 && peak < Self.ceilingKilobytes)
        #expect(agent.stop() == 0)
    }
}
