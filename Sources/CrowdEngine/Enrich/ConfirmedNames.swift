import CrowdCore
import Synchronization

/// Names of addresses that lead back to them: whoever owns an address may give it any name, but only the name's owner can
/// point it at the address. Kept for five minutes.
final class ConfirmedNames: Sendable {
    private static let capacity = 4_096
    private static let lifetime = GoDuration.seconds(300)

    private struct State {
        var entries: [IPAddress: (name: String?, expires: Timestamp)] = [:]
    }

    private let name: @Sendable (IPAddress) -> String?
    private let addresses: @Sendable (String) -> [String]
    private let state = Mutex(State())

    init(
        name: @escaping @Sendable (IPAddress) -> String?,
        addresses: @escaping @Sendable (String) -> [String] = HostAddresses.find
    ) {
        self.name = name
        self.addresses = addresses
    }

    /// Without the dot at its end; nil when there is none, or none that leads back.
    func find(_ address: IPAddress, now: Timestamp = .now()) -> String? {
        let known = state.withLock { $0.entries[address] }
        if let known, known.expires > now { return known.name }
        let found = confirm(address)
        state.withLock { state in
            if state.entries.count >= Self.capacity { state.entries = state.entries.filter { $0.value.expires > now } }
            if state.entries.count >= Self.capacity { state.entries.removeAll() }
            state.entries[address] = (found, now + Self.lifetime)
        }
        return found
    }

    private func confirm(_ address: IPAddress) -> String? {
        guard var name = name(address) else { return nil }
        if name.hasSuffix(".") { name.removeLast() }
        let leadsBack = addresses(name).contains { IPAddress($0)?.unmapped == address.unmapped }
        return leadsBack ? name : nil
    }
}
