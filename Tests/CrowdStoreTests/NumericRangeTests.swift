import CrowdCore
import CrowdStore
import Testing

@Suite("Numeric range") struct NumericRangeTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var text: String
        var start: (Int64, Int64)
        var end: (Int64, Int64)
        var size: Int64
        var testDescription: String { text }
    }

    static let zero = -Int64.max

    @Test(arguments: [
        Row(
            text: "203.0.113.9", start: (-9_223_372_033_448_972_022, zero), end: (-9_223_372_033_448_972_022, zero),
            size: 4),
        Row(text: "0.0.0.0/0", start: (zero, zero), end: (zero + 0xFFFF_FFFF, zero), size: 4),
        Row(
            text: "2001:db8::5", start: (-6_917_232_468_739_227_647, -9_223_372_036_854_775_802),
            end: (-6_917_232_468_739_227_647, -9_223_372_036_854_775_802), size: 16),
        Row(text: "::/0", start: (zero, zero), end: (Int64.max, Int64.max), size: 16),
    ])
    func isAsTheReferenceStoresIt(_ row: Row) throws {
        let range: IPRange = try #require(IPRange(row.text))
        let numeric = NumericRange(range)
        #expect((numeric.startIP, numeric.startSuffix) == row.start)
        #expect((numeric.endIP, numeric.endSuffix) == row.end)
        #expect(numeric.size == row.size)
    }

    @Test(arguments: [
        ("::ffff:192.0.2.7", "192.0.2.7/32"), ("::FFFF:c000:207", "192.0.2.7/32"),
        ("::ffff:192.0.2.0/120", "192.0.2.0/24"), ("::ffff:0:0/96", "0.0.0.0/0"), ("::/0", "::/0"),
        ("::ffff:0:0/95", "::fffe:0:0/95"), ("2001:db8::/32", "2001:db8::/32"), ("192.0.2.7/24", "192.0.2.0/24"),
    ])
    func mappedAddressesAreIPv4(_ text: String, _ expected: String) {
        #expect(IPRange(unmapping: text).map { "\($0.first.description)/\($0.prefixLength)" } == expected)
    }

    @Test func otherScopesAreZero() { #expect(NumericRange(nil).startIP == 0 && NumericRange(nil).size == 0) }
}
