import CrowdCore
import Glibc
import Synchronization

/// `reverse_dns`: the first name of an address, with its trailing dot (engine facts B.5).
struct ReverseDNSEnricher: Enricher {
    let names: ReverseDNS
    private let key: EnrichedKey

    init(_ names: ReverseDNS, _ keys: KeyTable) {
        self.names = names
        key = EnrichedKey("reverse_dns", keys)
    }

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = IPAddress(ascii: value.buffer), let name = names.name(of: address) else { return }
        key.set(name, event)
    }
}

/// Names of addresses, asked of the system's resolver and kept: an hour, or five minutes where there is none.
///
/// Attackers choose the addresses and may own the name servers: hence the bounds of every question.
final class ReverseDNS: Sendable {
    private static let capacity = 16_384

    private struct Entry {
        var name: String?
        var expires: Timestamp
    }

    private struct State {
        var entries: [IPAddress: Entry] = [:]
        /// In order of coming, for making room.
        var order: [IPAddress] = []
    }

    private let state = Mutex(State())
    private let questions = BoundedQuestions()
    private let resolve: @Sendable (IPAddress) -> String?

    /// - Parameter resolve: answers when it likes; the system's resolver unless a test says otherwise.
    init(resolve: @escaping @Sendable (IPAddress) -> String? = ReverseDNS.systemName) { self.resolve = resolve }

    /// The name with its trailing dot; nil when there is none or none came in time.
    func name(of address: IPAddress, now: Timestamp = .now()) -> String? {
        if let known = state.withLock({ $0.entries[address] }), known.expires > now { return known.name }
        let outcome = questions.ask("reverse-dns", now: now) { [self] in
            let name = resolve(address)
            keep(name, of: address, now: .now())
            return name
        }
        guard case .answer(let name) = outcome else { return nil }
        return name
    }

    private func keep(_ name: String?, of address: IPAddress, now: Timestamp) {
        state.withLock { state in
            if state.entries[address] == nil { state.order.append(address) }
            let life = name == nil ? GoDuration.seconds(300) : GoDuration.seconds(3_600)
            state.entries[address] = Entry(name: name, expires: now + life)
            guard state.order.count > ReverseDNS.capacity else { return }
            for old in state.order.prefix(ReverseDNS.capacity / 8) { state.entries[old] = nil }
            state.order.removeFirst(ReverseDNS.capacity / 8)
        }
    }

    /// By `getnameinfo`, so that /etc/hosts and nsswitch.conf count as they do for every program.
    static func systemName(_ address: IPAddress) -> String? {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let status = SocketAddress.with(address) { pointer, length in
            getnameinfo(pointer, length, &host, socklen_t(host.count), nil, 0, NI_NAMEREQD)
        }
        guard status == 0 else { return nil }
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.hasSuffix(".") ? name : name + "."
    }
}
