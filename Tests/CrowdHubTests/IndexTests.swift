import CrowdTestSupport
import Testing

@testable import CrowdHub

@Suite("Hub index") struct IndexTests {
    @Test(arguments: [
        ("0.1", "0.2", true), ("0.9", "0.10", true), ("1.0", "1.0.1", true), ("1.0-rc1", "1.0", true),
        ("v2.0", "10.0", true), ("1.0", "1.0.0", false), ("0.2", "0.1", false),
    ])
    func versionsAreOrdered(_ low: String, _ high: String, _ isLess: Bool) throws {
        let (a, b) = (try #require(ItemVersion(low)), try #require(ItemVersion(high)))
        #expect((a < b) == isLess)
    }

    @Test(arguments: ["", "x", "1.2.3.4", "1..2", "1.-2", "1.0-", "٣.1"])
    func noVersion(_ text: String) { #expect(ItemVersion(text) == nil) }

    @Test(arguments: [
        ("crowdsecurity/sshd-logz", "crowdsecurity/sshd-logs"), ("crowdsecurity/nginx", "crowdsecurity/nginx"),
        ("nothing/like-this-at-all", nil),
    ])
    func nearest(_ wanted: String, _ name: String?) {
        let names = ["crowdsecurity/sshd-logs", "crowdsecurity/nginx", "crowdsecurity/sshd"]
        #expect(NearestName.to(wanted, among: names) == name)
    }

    @Test(arguments: [
        ("a/b.yaml", true), ("a", true), ("", false), ("/a", false), ("a/../b", false), ("..", false), ("a//b", false),
        ("./a", false),
    ])
    func pathsInside(_ path: String, _ isInside: Bool) { #expect(FilePath.isInside(path) == isInside) }

    @Test func wholeIndex() throws {
        guard let path = SharedMaterial.path("hub/.index.json") else { return }
        let index = try HubIndex.read(path)
        let linux = try #require(index.entries[.collections]?["crowdsecurity/linux"])
        #expect(linux.dependencies[.parsers].contains("crowdsecurity/syslog-logs"))
        #expect(linux.path == "collections/crowdsecurity/linux.yaml")
        #expect(linux.latestDigest?.count == 64)
        #expect(index.warnings.isEmpty)
    }
}
