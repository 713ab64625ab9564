internal import CNetfilterSystem
internal import CrowdCore

/// What `ipset` reads and writes.
enum IpsetText {
    /// Sets of a family out of `ipset list -t`.
    static func shapes(_ text: String, _ layout: TableLayout) -> [String: KernelTable.SetShape] {
        var shapes: [String: KernelTable.SetShape] = [:]
        var (name, type) = ("", "")
        for line in text.split(separator: "\n") {
            if line.hasPrefix("Name: ") { name = String(line.dropFirst(6)) }
            if line.hasPrefix("Type: ") { type = String(line.dropFirst(6)) }
            guard line.hasPrefix("Header: ") else { continue }
            let words = line.split(separator: " ")
            let isV6 = words.contains("inet6")
            guard isV6 == (layout.family == .v6), name.hasPrefix(layout.setPrefix) else { continue }
            let hasTimeout = words.contains("timeout") && type == "hash:net"
            shapes[name] = .init(
                flags: hasTimeout ? k32(NFT_SET_TIMEOUT) : 0, keyLength: UInt32(layout.family.width))
        }
        return shapes
    }

    /// Elements out of `ipset save NAME`: `add NAME 192.0.2.0/24 timeout 3599`.
    static func elements(_ bytes: [UInt8], now: Deadline) -> [Segment] {
        bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard words.count >= 3, words[0].elementsEqual("add".utf8),
                let range = IPRange(String(decoding: words[2], as: UTF8.self))
            else { return nil }
            let seconds = words.count >= 5 ? Deadline(String(decoding: words[4], as: UTF8.self)) ?? 0 : 0
            // No timeout, or zero: for ever.
            return Segment(AddressSpan.of(range).1, until: seconds == 0 ? .max : now + seconds * 1000)
        }
    }

    /// Lines for `ipset restore`: additions first; what is renewed is not deleted.
    static func write(_ plan: ElementPlan, to set: KernelSet, now: Deadline, _ lines: inout [UInt8]) {
        var kept: Set<AddressSpan> = []
        for segment in plan.add where segment.deadline - now >= 500 {
            let seconds = min((segment.deadline - now + 500) / 1000, IpsetFilter.longestTimeout)
            for span in segment.span.prefixes(set.family) {
                kept.insert(span)
                append("add", span, set, " timeout \(max(1, seconds))", &lines)
            }
        }
        for span in plan.remove.flatMap({ $0.prefixes(set.family) }) where !kept.contains(span) {
            append("del", span, set, "", &lines)
        }
    }

    private static func append(
        _ verb: String, _ span: AddressSpan, _ set: KernelSet, _ end: String, _ lines: inout [UInt8]
    ) {
        let length = set.family.width * 8 - (span.last - span.first).bitsNeeded
        lines += "\(verb) \(set.name) \(span.firstText(set.family))/\(length)\(end) -exist\n".utf8
    }
}

extension UInt128 {
    /// Of a number that is a power of two less one: its exponent.
    fileprivate var bitsNeeded: Int { UInt128.bitWidth - leadingZeroBitCount }
}
