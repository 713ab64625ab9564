public import CrowdCore

/// An address or range as the five signed columns of the reference (protocol facts B.4).
public struct NumericRange: Sendable, Equatable {
    public var startIP: Int64 = 0
    public var startSuffix: Int64 = 0
    public var endIP: Int64 = 0
    public var endSuffix: Int64 = 0
    /// 4, 16, or 0 for what is no address.
    public var size: Int64 = 0

    public init(_ range: IPRange?) {
        guard let range else { return }
        (startIP, startSuffix) = Self.columns(of: range.first)
        (endIP, endSuffix) = Self.columns(of: range.last)
        size = range.first.isV6 ? 16 : 4
    }

    /// IPv4 goes whole into the first column; IPv6 is split into its halves.
    private static func columns(of address: IPAddress) -> (Int64, Int64) {
        address.isV6 ? (signed(address.high), signed(address.low)) : (signed(address.low), signed(0))
    }

    /// Maps unsigned to signed keeping the order: `u - (2^63 - 1)`, saturated at the top.
    static func signed(_ value: UInt64) -> Int64 {
        let (difference, borrow) = value.subtractingReportingOverflow(UInt64(Int64.max))
        if !borrow { return Int64(clamping: difference) }
        return Int64(bitPattern: difference)
    }

    var values: [SQLValue] { [.int(startIP), .int(endIP), .int(startSuffix), .int(endSuffix), .int(size)] }

    /// SQL over the columns of a table that holds such a range, after protocol facts B.5.
    func condition(covering: Bool) -> (sql: String, values: [SQLValue]) {
        let (low, high) = covering ? ("<", ">") : (">", "<")
        let sql = """
            (start_ip \(low) ? OR (start_ip = ? AND start_suffix \(low)= ?)) \
            AND (end_ip \(high) ? OR (end_ip = ? AND end_suffix \(high)= ?)) AND ip_size = ?
            """
        return (
            sql,
            [
                .int(startIP), .int(startIP), .int(startSuffix), .int(endIP), .int(endIP), .int(endSuffix), .int(size),
            ]
        )
    }
}

extension IPRange {
    /// Reads text as the reference does: an IPv6 address that carries an IPv4 one is that one, in what is stored and in
    /// what is asked. Who asks for `::ffff:192.0.2.1` must hear of a ban of `192.0.2.1`.
    public init?(unmapping text: some StringProtocol) {
        guard let range = IPRange(text) else { return nil }
        let first = range.first.unmapped
        let isMapped = range.first.isV6 && !first.isV6 && range.prefixLength >= 96
        self = isMapped ? IPRange(first, prefixLength: range.prefixLength - 96) : range
    }
}
