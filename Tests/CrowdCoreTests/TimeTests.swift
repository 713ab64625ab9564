import CrowdCore
import Testing

@Suite("Durations and timestamps") struct TimeTests {
    @Test(arguments: [
        ("4h", "4h0m0s"), ("1h30m", "1h30m0s"), ("0", "0s"), ("-12m3s", "-12m3s"),
        ("59m57.111910907s", "59m57.111910907s"),
        ("1.5µs", "1.5µs"), ("20ns", "20ns"), ("500ms", "500ms"), ("0.5s", "500ms"), ("1.5h", "1h30m0s"),
        ("3h59m58s", "3h59m58s"), ("29.372us", "29.372µs"),
    ])
    func durations(_ text: String, printed: String) {
        #expect(GoDuration(text)?.description == printed)
    }

    @Test(arguments: ["", "4", "h", "1d", "1h-2m", "1 h", "4x", ".s", "99999999999h"])
    func refusesDuration(_ text: String) {
        #expect(GoDuration(text) == nil)
    }

    @Test(arguments: [("7d", "168h0m0s"), ("2d3h", "51h0m0s"), ("-1d", "-24h0m0s"), ("24h", "24h0m0s")])
    func days(_ text: String, printed: String) {
        #expect(GoDuration(text, allowingDays: true)?.description == printed)
    }

    @Test(arguments: ["3h2d", "1.5d", "d"])
    func refusesDays(_ text: String) {
        #expect(GoDuration(text, allowingDays: true) == nil)
    }

    @Test(arguments: [
        ("2026-11-21T08:17:29Z", "2026-11-21T08:17:29Z", "2026-11-21 08:17:29 +0000 UTC"),
        ("2026-11-21T08:17:29.735391829Z", "2026-11-21T08:17:29.735391829Z", "2026-11-21 08:17:29.735391829 +0000 UTC"),
        ("2026-11-21T10:17:29.5+02:00", "2026-11-21T10:17:29.5+02:00", "2026-11-21 10:17:29.5 +0200 +0200"),
        ("1969-12-31T23:59:59.25Z", "1969-12-31T23:59:59.25Z", "1969-12-31 23:59:59.25 +0000 UTC"),
        ("2024-02-29T00:00:00-05:30", "2024-02-29T00:00:00-05:30", "2024-02-29 00:00:00 -0530 -0530"),
    ])
    func timestamps(_ text: String, nano: String, go: String) {
        #expect(Timestamp(rfc3339: text)?.rfc3339Nano == nano)
        #expect(Timestamp(rfc3339: text)?.goString == go)
    }

    @Test func otherForms() throws {
        let time = try #require(Timestamp(sqlite: "2026-11-21 08:17:30.226142096+00:00"))
        #expect(time.sqlite == "2026-11-21 08:17:30.226142096+00:00")
        #expect(time.rfc3339 == "2026-11-21T08:17:30Z")
        #expect(time.rfc3339Milliseconds == "2026-11-21T08:17:30.226Z")
        #expect(time.httpDate == "Sat, 21 Nov 2026 08:17:30 GMT")
        #expect((time + .seconds(3600) - time).description == "1h0m0s")
    }

    @Test(arguments: [
        "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01", "2026-01-01T25:00:00Z", "x",
        "2026-01-01T00:00:00.Z",
    ])
    func refusesTimestamp(_ text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    /// What lies outside of the range is its end; nothing computed from that overflows.
    @Test(arguments: [
        ("1010-03-03T19:51:53Z", "1677-09-21T00:12:43Z"), ("9999-12-31T23:59:59Z", "2262-04-11T23:47:16Z"),
    ])
    func outsideOfTheRange(_ text: String, shown: String) throws {
        let time = try #require(Timestamp(rfc3339: text))
        #expect(time.rfc3339 == shown)
        #expect((0..<1_000_000_000).contains(time.nanosecond))
        #expect(time + .seconds(1_000_000) - time <= .seconds(1_000_000))
        #expect((time - Timestamp(nanoseconds: -time.nanoseconds.signum())).roundedToSeconds.nanoseconds != 0)
    }

    @Test func everyDayOfFourCenturies() {
        for day in stride(from: -150_000, to: 150_000, by: 7) {
            let civil = CivilTime(epochSeconds: Int64(day) * 86_400)
            #expect(civil.epochSeconds == Int64(day) * 86_400)
        }
    }
}
