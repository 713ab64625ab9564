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
        guard let address = event.address(in: value), let name = names.name(of: address) else { return }
        key.set(name, event)
    }
}

/// Names of addresses, asked of the system's resolver and kept: an hour, or five minutes where there is none.
///
/// Attackers choose the addresses and may own the name servers: hence the bounds of every question.
final class ReverseDNS: Sendable {
    private static let capacity = 16_384

    private struct State {
        var names = ExpiringCache<IPAddress, String?>(capacity: ReverseDNS.capacity)
        /// Questions that are open.
        var asked: [IPAddress: Completion<String?>] = [:]
    }

    /// What can be said of an address without waiting.
    enum Knowledge {
        case name(String?)
        case asked(Completion<String?>)
        /// It can be asked for once another question is answered.
        case busy
    }

    private let state = Mutex(State())
    private let questions: BoundedQuestions
    private let resolve: @Sendable (IPAddress) -> String?

    /// - Parameters:
    ///   - patience: how long somebody waits for a name.
    ///   - resolve: answers when it likes; the system's resolver unless a test says otherwise.
    init(
        patience: GoDuration = .seconds(3), resolve: @escaping @Sendable (IPAddress) -> String? = ReverseDNS.systemName
    ) {
        questions = BoundedQuestions(thread: "reverse-dns", patience: patience)
        self.resolve = resolve
    }

    /// How many questions were answered so far.
    var answers: Int { questions.answers }

    /// How long somebody waits for a name.
    var patience: GoDuration { questions.patience }

    /// The name with its trailing dot; nil when there is none or none came in time.
    func name(of address: IPAddress, now: Timestamp = .now()) -> String? {
        switch look(for: address, now: now) {
        case .name(let name): name
        case .asked(let question): wait(for: question, of: address, atMost: patience, now: now)
        case .busy: nil
        }
    }

    /// Begins to ask for the name, unless it is known, is being asked for, or nobody is asked for the moment.
    func look(for address: IPAddress, now: Timestamp = .now()) -> Knowledge {
        let found = state.withLock { state -> Knowledge? in
            if let name = state.names.find(address, at: now) { return .name(name) }
            return state.asked[address].map { .asked($0) }
        }
        if let found { return found }
        let opening = questions.open(now: now) { [self] in
            let name = resolve(address)
            state.withLock { state in
                state.asked[address] = nil
                // From the time of the question: by it one sees below that the answer was there first.
                state.names.keep(name, of: address, until: now + .seconds(name == nil ? 300 : 3_600))
            }
            return name
        }
        switch opening {
        case .asked(let question):
            state.withLock { if $0.names.find(address, at: now) == nil { $0.asked[address] = question } }
            return .asked(question)
        case .busy: return .busy
        case .refused: return .name(nil)
        }
    }

    /// The name once it is there. When it is late there is none for half a minute, or until it comes.
    func wait(
        for question: Completion<String?>, of address: IPAddress, atMost limit: GoDuration, now: Timestamp = .now()
    ) -> String? {
        if case .answer(let name) = questions.wait(for: question, atMost: limit, now: now) { return name }
        state.withLock { state in
            guard state.asked.removeValue(forKey: address) != nil else { return }
            state.names.keep(nil, of: address, until: .now() + .seconds(30))
        }
        return nil
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
