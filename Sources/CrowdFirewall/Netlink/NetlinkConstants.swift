internal import CNetfilterSystem

// C enums arrive as `Int` (anonymous) or as structs over `UInt32` (named); the kernel's fields are 16 or 32 bits wide.
func k16(_ value: Int) -> UInt16 { UInt16(truncatingIfNeeded: value) }
func k16<Enum: RawRepresentable>(_ value: Enum) -> UInt16 where Enum.RawValue == UInt32 {
    UInt16(truncatingIfNeeded: value.rawValue)
}
func k32(_ value: Int) -> UInt32 { UInt32(truncatingIfNeeded: value) }
func k32(_ value: Int32) -> UInt32 { UInt32(bitPattern: value) }
func k32<Enum: RawRepresentable>(_ value: Enum) -> UInt32 where Enum.RawValue == UInt32 { value.rawValue }

extension Family {
    /// `NFPROTO_…`
    var netfilter: UInt16 { self == .v4 ? 2 : 10 }
    /// nft's own number of the set's key type: `ipv4_addr`, `ipv6_addr`.
    var keyType: UInt32 { self == .v4 ? 7 : 8 }
    /// Where the source address lies in the packet.
    var sourceOffset: UInt32 { self == .v4 ? 12 : 8 }
    /// Raw ICMP code of the reference's reject: port unreachable, address unreachable.
    var rejectCode: UInt8 { 3 }
}
