import CrowdCore
import CrowdText
import Testing

/// What the standard grok names take of a text where more than one answer is sensible: as CrowdSec 1.4.6 does.
@Suite("Standard grok names") struct StandardNameTests {
    struct Case: Sendable {
        var name: String
        var text: String
        var takes: String?
    }

    @Test(arguments: [
        Case(name: "IP", text: "::ffff:172.21.10.2 user", takes: "::ffff:172"),
        Case(name: "IPV6", text: "fe80::1%eth0", takes: "fe80::1%eth0"),
        Case(name: "IPV6", text: "1:2:3:4:5:6:7:8", takes: "1:2:3:4:5:6:7:8"),
        Case(name: "HOSTNAME", text: "IM_SIGNED 0.01", takes: "IM"),
        Case(name: "HOSTNAME", text: "host-", takes: "host-"),
        Case(name: "MONTHNUM", text: "10", takes: "1"), Case(name: "SECOND", text: "60", takes: "6"),
        Case(name: "TZ", text: "CEST", takes: "CES"), Case(name: "LOGLEVEL", text: "server", takes: "er"),
        Case(name: "MONTH", text: "LoggingAuditTrailManager", takes: "Ma"),
        Case(name: "MONTH", text: "mar", takes: nil), Case(name: "MONTH", text: "Mär", takes: "Mär"),
        Case(name: "EMAILADDRESS", text: "user=<admin@example.com>", takes: "user=<admin@example.com"),
        Case(name: "EMAILADDRESS", text: "a@b", takes: nil), Case(name: "EMAILLOCALPART", text: "10.0.1.5", takes: nil),
        Case(name: "URIPROTO", text: "T20:47", takes: "T"), Case(name: "URIPATH", text: "/a&b", takes: "/a"),
        Case(name: "UNIXPATH", text: "/a\\b/c+d", takes: "/a\\b/c"),
        Case(name: "BASE16NUM", text: "0X1F", takes: "0"), Case(name: "BASE16NUM", text: "0x1F", takes: "0x1F"),
        Case(name: "RFC3339NANO", text: "2182-04-25T15:58:42.237Z", takes: nil),
        Case(name: "ANSIC", text: "Thu Oct 13 12:24:49 2022", takes: nil),
        Case(name: "HTTPD_ERRORLOG", text: "[Thu Oct 13 12:24:49 2022] [core:error] [pid 10] [client 3", takes: nil),
        Case(
            name: "COMMONAPACHELOG", text: "h - - [26/Nov/2003:07:23:03 +0000] \"GET /\" 200 -98",
            takes: "h - - [26/Nov/2003:07:23:03 +0000] \"GET /\" 200 -98"),
    ])
    func takesWhatTheReferenceTakes(_ test: Case) throws {
        for accelerated in [false, true] {
            var library = GrokLibrary.standard(accelerated: accelerated)
            // The outer field wins over those inside.
            let grok = try library.compile("%{\(test.name):found}")
            let scratch = PatternScratch(patterns: library.compiledCount, pairs: 32)
            let field = try #require(grok.fields.firstIndex(of: "found"))
            var text = test.text
            let taken: String? = text.withUTF8 { buffer in
                let slice = ByteSlice(buffer)
                guard scratch.match(grok.pattern, slice, isUTF8: true) else { return nil }
                return scratch.range(grok.pattern.places[field]).map { String(slice[$0]) } ?? ""
            }
            #expect(taken == test.takes, "accelerated: \(accelerated)")
        }
    }
}
