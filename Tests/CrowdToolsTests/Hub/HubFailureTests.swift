import CrowdCore
import CrowdTestSupport
import Testing

@Suite("A hub that fails half-way", .enabled(if: SharedMaterial.path("hub") != nil)) struct HubFailureTests {
    static let scenario = "/master/scenarios/crowdsecurity/ssh-bf.yaml"

    @Test func wrongBytesChangeNothing() throws {
        let server = try HubServer(["crowdsecurity/sshd"])
        let host = try HubHost(server)
        try host.cscli("hub update")
        server.fail(Self.scenario, .serves(Array("name: evil\n".utf8)))
        let refusal = try host.cscli("collections install crowdsecurity/sshd", 1)
        #expect(refusal.contains("scenarios:crowdsecurity/ssh-bf: hash mismatch: expected "))
        #expect(host.tree("hub").isEmpty && host.tree("parsers").isEmpty)
        server.fail(Self.scenario, nil)
        try host.cscli("collections install crowdsecurity/sshd")
    }

    @Test func aBrokenUpgradeLeavesTheOldHub() throws {
        let server = try HubServer(["crowdsecurity/sshd"])
        let host = try HubHost(server, installing: "crowdsecurity/sshd")
        for name in ["ssh-bf", "ssh-slow-bf"] {
            server.publish("scenarios", "crowdsecurity/\(name)", version: "1.0", appending: "\n# newer\n")
        }
        try host.cscli("hub update")
        let before = host.tree("hub")
        server.fail(Self.scenario, .status(503))
        #expect(try host.cscli("hub upgrade", 1).contains("bad http code 503 for \(server.url)master/"))
        #expect(host.tree("hub") == before)
        server.fail(Self.scenario, .breaks(after: 20, times: 99))
        try host.cscli("hub upgrade", 1)
        #expect(host.tree("hub") == before)
        server.fail(Self.scenario, nil)
        try host.cscli("hub upgrade")
        #expect(host.read("scenarios/ssh-bf.yaml").hasSuffix("# newer\n"))
    }

    @Test func aBrokenDataFileIsResumed() throws {
        let server = try HubServer(["crowdsecurity/linux"])
        let host = try HubHost(server)
        try host.cscli("hub update")
        let path = "/data/hub-data.crowdsec.net/mmdb_update/GeoLite2-City.mmdb"
        let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }
        server.put(path, bytes)
        server.fail(path, .breaks(after: 100_000, times: 1))
        try host.cscli("collections install crowdsecurity/linux")
        #expect(SharedMaterial.read(host.path + "/data/GeoLite2-City.mmdb") == bytes)
        let ranges = server.requests.filter { $0.path == path }.map { $0.headers["range"] }
        #expect(ranges.count == 2 && ranges[0] == nil)
        #expect(ranges[1]?.hasPrefix("bytes=") == true)
    }

    @Test func dataIsAskedForOnlyWhenOldOrForced() throws {
        let server = try HubServer(["crowdsecurity/linux"])
        let host = try HubHost(server, installing: "crowdsecurity/linux")
        func dataRequests() -> Int { server.requests.count { $0.path.hasPrefix("/data/") } }
        let first = dataRequests()
        #expect(try host.cscli("hub upgrade") == "Action plan:\n🔄 check & update data files\n\n")
        #expect(dataRequests() == first, "fresh files are not asked for")
        let asn = host.path + "/data/GeoLite2-ASN.mmdb"
        try Command.must("touch -d 2020-01-01 \(asn)")
        #expect(try !host.cscli("hub upgrade").contains("reload"))
        #expect(dataRequests() == first + 1)
        #expect(server.requests.last?.headers["if-modified-since"] == "Wed, 01 Jan 2020 00:00:00 GMT")
        server.put("/data/hub-data.crowdsec.net/mmdb_update/GeoLite2-ASN.mmdb", [1, 2, 3])
        #expect(try host.cscli("hub upgrade --force").contains("Run 'sudo systemctl reload crowdsec'"))
        #expect(SharedMaterial.read(asn) == [1, 2, 3])
    }

    @Test(arguments: [
        (#"{"parsers":{"a/b":null}}"#, "invalid hub index: parsers:a/b has no index metadata."),
        (#"{"parsers":{"a/b":{"stage":"s00-raw"}}}"#, "invalid hub index: parsers:a/b has no download path."),
        (#"{"parsers":{"a/b":{"path":"parsers/x.yaml"}}}"#, "invalid hub index: parsers:a/b has no stage."),
        (#"{"scenarios":{"a/b":{"path":"../x.yaml"}}}"#, "is not inside the hub"), ("[]", "failed to parse index"),
    ])
    func aBadIndexIsNotTaken(_ text: String, _ error: String) throws {
        let server = try HubServer(["crowdsecurity/sshd"])
        let host = try HubHost(server)
        try host.cscli("hub update")
        server.put("/master/.index.json", Array(text.utf8))
        #expect(try host.cscli("hub update", 1).contains(error))
        try host.cscli("hub list")
        try host.directory.write("hub/.index.json", text)
        let refusal = try host.cscli("hub list", 1)
        #expect(refusal.contains(error) && refusal.contains("Run 'sudo cscli hub update' to download the index again"))
    }

    @Test(.enabled(if: isRoot)) func aFullDiskAndAReadOnlyOneAreSaid() throws {
        let server = try HubServer(["crowdsecurity/sshd"])
        let host = try HubHost(server)
        try host.directory.write("hub/x", "")
        try Command.must("mount -t tmpfs -o size=64k tmpfs \(host.path)/hub")
        defer { _ = try? Command.run(["umount", "-l", host.path + "/hub"]) }
        try host.cscli("hub update")
        try host.directory.write("hub/filler", [UInt8](repeating: 1, count: 40_000))
        let full = try host.cscli("collections install crowdsecurity/sshd", 1)
        #expect(full.contains("no space left on device"))
        #expect(
            host.tree("hub").keys.allSatisfy { $0.hasSuffix(".yaml") || $0 == "hub/filler" }, "nothing is half there")
        try Command.must("rm \(host.path)/hub/filler")
        try host.cscli("collections install crowdsecurity/sshd")
        try Command.must("mount -o remount,ro \(host.path)/hub")
        server.publish("scenarios", "crowdsecurity/ssh-bf", version: "1.0", appending: "\n# newer\n")
        #expect(try host.cscli("hub update", 1).contains("read-only file system"))
        try host.cscli("hub list")
    }
}
