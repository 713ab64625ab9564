import CrowdCore

extension IPAddress {
    /// Whether a range, or one of several, has it; an IPv4 address in IPv6 form counts as either.
    func isIn(_ contains: (IPAddress) -> Bool) -> Bool {
        let unmapped = unmapped
        return contains(unmapped) || unmapped != self && contains(self)
    }
}

/// What `IsIP`, `IsIPV4` and `IsIPV6` say of an address; an IPv4 address in IPv6 form is one of IPv4.
enum AddressTest: String {
    case isAddress = "IsIP"
    case isV4 = "IsIPV4"
    case isV6 = "IsIPV6"

    func holds(_ address: IPAddress?) -> Bool {
        guard let address else { return false }
        return switch self {
        case .isAddress: true
        case .isV4: !address.unmapped.isV6
        case .isV6: address.unmapped.isV6
        }
    }
}

/// One of these of a field of the event, whose address is remembered.
final class FieldIsAddress: BoolNode {
    let test: AddressTest
    let field: Node
    init(_ test: AddressTest, _ field: Node, at offset: Int) {
        (self.test, self.field) = (test, field)
        super.init(at: offset)
    }
    override func bool(_ machine: Machine) throws(ExprError) -> Bool {
        test.holds(machine.event.address(in: try field.text(machine)))
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
