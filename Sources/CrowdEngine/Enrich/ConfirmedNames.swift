import CrowdCore
import Synchronization

/// Names of addresses that lead back to them: whoever owns an address may give it any name, but only the name's owner can
/// point it at the address. Kept for five minutes.
final class ConfirmedNames: Sendable {
    private static let capacity = 4_096
    private static let lifetime = GoDuration.seconds(300)

    private let name: @Sendable (IPAddress) -> String?
    private let addresses: @Sendable (String) -> [String]
    private let known = Mutex(ExpiringCache<IPAddress, String?>(capacity: ConfirmedNames.capacity))

    init(
        name: @escaping @Sendable (IPAddress) -> String?,
        addresses: @escaping @Sendable (String) -> [String] = HostAddresses.find
    ) {
        self.name = name
        self.addresses = addresses
    }

    /// Without the dot at its end; nil when there is none, or none that leads back.
    func find(_ address: IPAddress, now: Timestamp = .now()) -> String? {
        if let name = known.withLock({ $0.find(address, at: now) }) { return name }
        let found = confirm(address)
        known.withLock { $0.keep(found, of: address, until: now + Self.lifetime) }
        return found
    }

    private func confirm(_ address: IPAddress) -> String? {
        guard var name = name(address) else { return nil }
        if name.hasSuffix(".") { name.removeLast() }
        let leadsBack = addresses(name).contains { IPAddress($0)?.unmapped == address.unmapped }
        return leadsBack ? name : nil
    }
}
