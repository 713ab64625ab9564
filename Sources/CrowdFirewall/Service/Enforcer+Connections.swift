internal import CrowdCore
internal import Logging

/// Connections that were there before the ban (`cut_connections`).
extension Enforcer {
    /// Makes the kernel forget the connections of banned addresses; how many there were.
    func cutConnections() -> Int {
        guard let connections, !connectionsFailed else { return 0 }
        var count = 0
        for family in families {
            let bans = desired.sets.filter { $0.key.family == family }.values
            let now = MonotonicClock.now()
            let ranges = bans.map { RangeCover.segments($0.ranges, now: now) }
            let free = allowed.cover(family, now: now)
            do {
                count += try connections.cut(family) { address in
                    let isBanned =
                        bans.contains { ($0.hosts[address] ?? 0) > now }
                        || ranges.contains { RangeCover.contains($0, address) }
                    return isBanned && !RangeCover.contains(free, address)
                }
            } catch {
                connectionsFailed = true
                log.warning(
                    "Connections of banned addresses are not cut; their packets are dropped all the same",
                    metadata: ["error": "\(error)"])
                return count
            }
        }
        if count > 0 { log.info("Connections of banned addresses cut", metadata: ["connections": "\(count)"]) }
        return count
    }
}
