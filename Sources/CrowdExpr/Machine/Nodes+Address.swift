import CrowdCore

extension IPAddress {
    /// Whether a range, or one of several, has it; an IPv4 address in IPv6 form counts as either.
    func isIn(_ contains: (IPAddress) -> Bool) -> Bool {
        let unmapped = unmapped
        return contains(unmapped) || unmapped != self && contains(self)
    }
}

/// `IpInRange(text, '10.0.0.0/8')` and `any(list, {IpInRange(text, #)})` of a list known at load: ranges that were read once.
final class AddressInRanges: BoolNode {
    let address: Node
    let ranges: AddressRanges
    private let isRemembered: Bool
    init(_ address: Node, _ ranges: [IPRange], at offset: Int) {
        (self.address, self.ranges) = (address, AddressRanges(ranges))
        isRemembered = address.isOfEvent
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        let text = try address.text(machine)
        let address = isRemembered ? machine.event.address(in: text) : IPAddress(ascii: text.buffer)
        return address?.isIn(ranges.contains) ?? false
    }
}
