import CrowdCore
import Testing

@Suite("Addresses and ranges") struct NetTests {
    @Test(arguments: [
        ("192.0.2.1", "192.0.2.1"), ("255.255.255.255", "255.255.255.255"), ("0.0.0.0", "0.0.0.0"),
        ("2001:DB8::5", "2001:db8::5"), ("::", "::"), ("::1", "::1"), ("1::", "1::"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ])
    func readsAndPrints(_ text: String, canonical: String) {
        #expect(IPAddress(text)?.description == canonical)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.", ".1.2.3", ":", ":::", "1:2", "1::2::3",
        "12345::", "1:2:3:4:5:6:7:8:9", "fe80::1%eth0", "1:2:3:4:5:6:7:", "g::", "::1.2.3", "1.2.3.4 ",
    ])
    func refuses(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("198.51.101.7/24", "198.51.101.0/24", "198.51.101.255"), ("10.0.0.1", "10.0.0.1/32", "10.0.0.1"),
        ("0.0.0.0/0", "0.0.0.0/0", "255.255.255.255"),
        ("2001:db8::ff/64", "2001:db8::/64", "2001:db8::ffff:ffff:ffff:ffff"),
        ("::/0", "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ])
    func ranges(_ text: String, canonical: String, last: String) {
        #expect(IPRange(text)?.description == canonical)
        #expect(IPRange(text)?.last.description == last)
    }

    @Test(arguments: ["1.2.3.4/33", "1.2.3.4/", "/8", "::/129", "1.2.3.4/-1", "1.2.3.4/+8"])
    func refusesRange(_ text: String) {
        #expect(IPRange(text) == nil)
    }

    @Test(arguments: [
        ("10.1.2.3", true), ("10.0.0.0", true), ("10.255.255.255", true), ("9.255.255.255", false), ("11.0.0.0", false),
        ("192.0.2.7", true), ("192.0.2.6", false), ("192.0.2.8", false), ("198.51.100.9", true), ("0.0.0.0", false),
        ("255.255.255.255", true), ("::ffff:10.1.2.3", false), ("::a01:203", false), ("2001:db8::1", true),
        ("2001:db9::", false), ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false), ("::", false),
    ])
    func amongRanges(_ text: String, isIn: Bool) throws {
        let texts = [
            "198.51.100.9", "10.20.0.0/16", "2001:db8:1::/48", "10.0.0.0/8", "192.0.2.7/32", "10.0.0.0/8",
            "2001:db8::/32", "255.255.255.254/31", "10.0.0.0/9",
        ]
        let ranges = try texts.map { try #require(IPRange($0)) }
        let address = try #require(IPAddress(text))
        #expect(AddressRanges(ranges).contains(address) == isIn)
        #expect(ranges.contains { $0.contains(address) } == isIn)
        #expect(!AddressRanges([]).contains(address))
    }

    @Test func containment() throws {
        let net = try #require(IPRange("198.51.100.0/24"))
        #expect(try net.contains(#require(IPAddress("198.51.100.77"))))
        #expect(try !net.contains(#require(IPAddress("198.51.101.0"))))
        #expect(try !net.contains(#require(IPAddress("::ffff:198.51.100.77"))))
        #expect(try net.contains(#require(IPAddress("::ffff:198.51.100.77")).unmapped))
        #expect(try net.contains(#require(IPRange("198.51.100.128/25"))))
        #expect(try !net.contains(#require(IPRange("198.51.0.0/16"))))
    }
}
