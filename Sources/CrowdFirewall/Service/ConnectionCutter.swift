internal import CrowdCore
internal import Logging
internal import Synchronization

/// Makes the kernel forget connections of addresses that were banned while they had some (`cut_connections`).
///
/// (1) Listing what the kernel tracks may take a second, so it is done on a thread of its own: no ban waits for it.
/// (2) What is asked for while one round runs is done in one next round.
/// (3) The enforcer has the last word on each address, after the kernel was asked: what was allowlisted or lifted
///     meanwhile keeps its connections.
final class ConnectionCutter: Sendable {
    /// Whose connections.
    enum Wish: Sendable {
        case everything
        case bans([Ban])
    }

    private struct Connections {
        let table: any ConnectionTable
        /// A failure is told once.
        var hasFailed = false
    }

    private let connections: Mutex<Connections>
    private let waiting = Mutex<Wish?>(nil)
    private let log: Logger
    private let bell: (rings: AsyncStream<Void>, button: AsyncStream<Void>.Continuation)

    init(_ table: sending any ConnectionTable, log: Logger) {
        connections = Mutex(Connections(table: table))
        self.log = log
        let (rings, button) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        bell = (rings, button)
    }

    /// Asks for a round; returns at once.
    func ask(for wish: Wish) {
        waiting.withLock { waiting in
            switch (waiting, wish) {
            case (.bans(let before), .bans(let bans)): waiting = .bans(before + bans)
            case (.everything, _): break
            default: waiting = wish
            }
        }
        bell.button.yield()
    }

    /// Cuts what is asked for until the task is cancelled.
    ///
    /// - Parameter done: told how many were cut, after each round that found some.
    func run(_ enforcer: Enforcer, done: @Sendable (Int) -> Void) async {
        for await _ in bell.rings {
            let wish = waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }
            guard let wish else { continue }
            let count = await cut(wish, enforcer)
            guard count > 0 else { continue }
            log.info("Connections of banned addresses cut", metadata: ["connections": "\(count)"])
            done(count)
        }
    }

    private func cut(_ wish: Wish, _ enforcer: Enforcer) async -> Int {
        var count = 0
        for family in enforcer.families {
            let filter = AddressFilter(wish, family)
            guard !filter.isEmpty else { continue }
            let met = await apart { connections in
                var met: Set<UInt128> = []
                _ = try connections.cut(family) { address in
                    if filter.contains(address) { met.insert(address) }
                    return false
                }
                return met
            }
            guard let met, !met.isEmpty else { continue }
            let banned = await enforcer.banned(among: met, family)
            guard !banned.isEmpty else { continue }
            count += await apart { try $0.cut(family, where: banned.contains) } ?? 0
        }
        return count
    }

    /// On a thread of its own; nil after a failure.
    private func apart<Value: Sendable>(
        _ body: @escaping @Sendable (any ConnectionTable) throws -> Value
    ) async -> Value? {
        await withCheckedContinuation { continuation in
            let isStarted = PlainThread.start("connections") { continuation.resume(returning: self.attempt(body)) }
            if !isStarted { continuation.resume(returning: nil) }
        }
    }

    private func attempt<Value: Sendable>(_ body: @Sendable (any ConnectionTable) throws -> Value) -> Value? {
        connections.withLock { connections in
            do {
                let value = try body(connections.table)
                connections.hasFailed = false
                return value
            } catch {
                if !connections.hasFailed {
                    log.warning(
                        "Connections of banned addresses are not cut; their packets are dropped all the same",
                        metadata: ["error": "\(error)"])
                }
                connections.hasFailed = true
                return nil
            }
        }
    }
}

/// The addresses of a wish, of one family.
private struct AddressFilter: Sendable {
    private let isEverything: Bool
    private var hosts: Set<UInt128> = []
    private var ranges: [Segment] = []

    init(_ wish: ConnectionCutter.Wish, _ family: Family) {
        guard case .bans(let bans) = wish else {
            isEverything = true
            return
        }
        isEverything = false
        var spans: [AddressSpan: Deadline] = [:]
        for ban in bans where ban.set.family == family {
            if ban.span.isSingle { hosts.insert(ban.span.first) } else { spans[ban.span] = .max }
        }
        ranges = RangeCover.segments(spans, now: 0)
    }

    var isEmpty: Bool { !isEverything && hosts.isEmpty && ranges.isEmpty }

    func contains(_ address: UInt128) -> Bool {
        isEverything || hosts.contains(address) || RangeCover.contains(ranges, address)
    }
}
