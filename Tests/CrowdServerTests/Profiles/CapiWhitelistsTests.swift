import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdServer

@Suite("Whitelists for the central API's lists") struct CapiWhitelistsTests {
    @Test(arguments: [
        ("ips: [1.2.3.4, '2001:db8::1']\ncidrs: [1.2.3.0/24]\n", nil), ("ips:\ncidrs:\n", nil),
        ("", "empty file"), ("\n", "empty file"), ("ips: [blahblah]\n", "invalid IP address: blahblah"),
        ("cidrs: [blahblah]\n", "invalid CIDR address: blahblah"),
        ("cidrs: [1.2.3.4]\n", "invalid CIDR address: 1.2.3.4"),
    ])
    func files(_ text: String, _ fault: String?) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("whitelists.yaml", text)
        #expect(Self.message(path) == fault.map { "while parsing capi whitelist file '\(path)': \($0)" })
    }

    @Test func aMissingFile() {
        let reason = "open /nonexistent.yaml: no such file or directory"
        #expect(Self.message("/nonexistent.yaml") == "while opening capi whitelist file: \(reason)")
    }

    private static func message(_ path: String) -> String? {
        do { try CapiWhitelists.check(path) } catch { return "\(error)" }
        return nil
    }
}
