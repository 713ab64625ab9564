import CrowdCore
import Glibc
import Synchronization

/// `reverse_dns`: the first name of an address, with its trailing dot (engine facts B.5).
struct ReverseDNSEnricher: Enricher {
    let names: ReverseDNS
    let keys: EnrichedKeys

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = IPAddress(ascii: value.buffer), let name = names.name(of: address) else { return }
        keys.set("reverse_dns", name, event)
    }
}

/// Names of addresses, asked of the system's resolver and kept: an hour, or five minutes where there is none.
///
/// The engine waits for an answer, at most three seconds. Attackers choose the addresses and may own the name servers:
/// after three waits in vain nobody is waited for during half a minute, and no more than eight questions are open.
final class ReverseDNS: Sendable {
    private static let capacity = 16_384
    private static let patience = GoDuration.seconds(3)
    private static let pause = GoDuration.seconds(30)
    private static let mostOpen = 8

    private struct Entry {
        var name: String?
        var expires: Timestamp
    }

    private struct State {
        var entries: [IPAddress: Entry] = [:]
        /// In order of coming, for making room.
        var order: [IPAddress] = []
        var open = 0
        var failures = 0
        var pausedUntil = Timestamp(nanoseconds: 0)
    }

    private let state = Mutex(State())
    private let resolve: @Sendable (IPAddress) -> String?

    /// - Parameter resolve: answers when it likes; the system's resolver unless a test says otherwise.
    init(resolve: @escaping @Sendable (IPAddress) -> String? = ReverseDNS.systemName) { self.resolve = resolve }

    /// The name with its trailing dot; nil when there is none or none came in time.
    func name(of address: IPAddress, now: Timestamp = .now()) -> String? {
        if let known = state.withLock({ $0.entries[address] }), known.expires > now { return known.name }
        guard mayAsk(now) else { return nil }
        let answer = Completion<String?>()
        let started = PlainThread.start("reverse-dns") { [self] in
            let name = resolve(address)
            answer.set(name)
            state.withLock { $0.open -= 1 }
            keep(name, of: address, now: .now())
        }
        guard started else {
            state.withLock { $0.open -= 1 }
            return nil
        }
        let result = answer.wait(atMost: ReverseDNS.patience)
        state.withLock { state in
            state.failures = result == nil ? state.failures + 1 : 0
            if state.failures >= 3 { (state.failures, state.pausedUntil) = (0, now + ReverseDNS.pause) }
        }
        return result ?? nil
    }

    private func mayAsk(_ now: Timestamp) -> Bool {
        state.withLock { state in
            guard state.open < ReverseDNS.mostOpen, state.pausedUntil <= now else { return false }
            state.open += 1
            return true
        }
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
        let status = withSocketAddress(address) { pointer, length in
            getnameinfo(pointer, length, &host, socklen_t(host.count), nil, 0, NI_NAMEREQD)
        }
        guard status == 0 else { return nil }
        let name = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return name.hasSuffix(".") ? name : name + "."
    }

    private static func withSocketAddress(
        _ address: IPAddress, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        guard address.isV6 else {
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_addr.s_addr = UInt32(truncatingIfNeeded: address.low).bigEndian
            return withUnsafePointer(to: &v4) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
        }
        var v6 = sockaddr_in6()
        v6.sin6_family = sa_family_t(AF_INET6)
        withUnsafeMutableBytes(of: &v6.sin6_addr) { bytes in
            bytes.storeBytes(of: address.high.bigEndian, as: UInt64.self)
            bytes.storeBytes(of: address.low.bigEndian, toByteOffset: 8, as: UInt64.self)
        }
        return withUnsafePointer(to: &v6) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}
