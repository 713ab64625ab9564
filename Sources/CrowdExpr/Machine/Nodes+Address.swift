import CrowdCore

extension IPAddress {
    /// Whether one of the ranges has it; an IPv4 address in IPv6 form counts as either.
    func isIn(_ ranges: [IPRange]) -> Bool {
        let unmapped = unmapped
        return ranges.contains { $0.contains(self) || $0.contains(unmapped) }
    }
}

/// `IpInRange(text, '10.0.0.0/8')` and `any(list, {IpInRange(text, #)})` of a list known at load: ranges that were read once.
final class AddressInRanges: BoolNode {
    let address: Node
    let ranges: [IPRange]
    init(_ address: Node, _ ranges: [IPRange], at offset: Int) {
        (self.address, self.ranges) = (address, ranges)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let text = try address.text(machine)
        return IPAddress(ascii: text.buffer)?.isIn(ranges) ?? false
    }
}
