import CrowdCore

extension IPRange {
    /// Whether the text is an address of this range; an IPv4 address in IPv6 form counts as either.
    func covers(_ text: ByteSlice) -> Bool {
        guard let address = IPAddress(ascii: text.buffer) else { return false }
        return contains(address) || contains(address.unmapped)
    }
}

/// `any(list, {IpInRange(text, #)})` where the list was known at load: its ranges, read once.
final class AddressInAnyRange: BoolNode {
    let address: Node
    let ranges: [IPRange]
    init(_ address: Node, _ ranges: [IPRange], at offset: Int) {
        (self.address, self.ranges) = (address, ranges)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let text = try address.text(machine)
        guard let address = IPAddress(ascii: text.buffer) else { return false }
        let (plain, unmapped) = (address, address.unmapped)
        return ranges.contains { $0.contains(plain) || $0.contains(unmapped) }
    }
}

/// `IpInRange(text, '10.0.0.0/8')`: the range was read at load; nil for one that is none.
final class AddressInRange: BoolNode {
    let address: Node
    let range: IPRange?
    init(_ address: Node, _ range: IPRange?, at offset: Int) {
        (self.address, self.range) = (address, range)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let text = try address.text(machine)
        return range?.covers(text) ?? false
    }
}
