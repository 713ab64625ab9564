internal import CrowdCore
internal import CrowdLAPI
internal import Logging

/// What goes on beside the stream of decisions.
extension FirewallBouncer {
    private static let tick = Duration.seconds(1)
    /// A list and its first snapshot are done with by then.
    private static let settling = Duration.seconds(4)
    private static let snapshotRetry: Deadline = 5000
    /// Bans that end this soon are prolonged while the Local API is away (`outage_policy: hold`), by so much.
    private static let holdAhead: Deadline = 10_000
    private static let holdFor: Deadline = 60_000

    // MARK: Health

    /// Looks how long the Local API has been silent; with `outage_policy: hold`, lets no ban end meanwhile.
    func watchLocalAPI() async {
        // Who polls seldom hears seldom.
        let limit = max(config.outageAfter, GoDuration(nanoseconds: 2 * config.updateFrequency.nanoseconds))
        var wasAway = false
        while (try? await Task.sleep(for: Self.tick)) != nil {
            let isAway = board.looks(awayAfter: limit)
            if isAway != wasAway {
                if isAway {
                    log.error(
                        "The Local API has been silent for long",
                        metadata: [
                            "outage_after": "\(limit)", "policy": "\(config.outagePolicy.rawValue)",
                        ])
                }
                wasAway = isAway
                await tellHealth()
            }
            guard isAway, config.outagePolicy == .hold else { continue }
            let now = MonotonicClock.now()
            let count = await enforcer.extend(endingBefore: now + Self.holdAhead, to: now + Self.holdFor)
            if count > 0 {
                board.holds()
                log.debug("Bans are held while the Local API is away", metadata: ["count": "\(count)"])
            }
        }
    }

    /// systemd's status line and the health gauge.
    func tellHealth() async {
        let status = await known()
        metrics.set(status)
        ServiceManager.status(status.sentence)
    }

    /// What is known without asking the kernel.
    private func known() async -> BouncerStatus {
        var status = board.current
        status.hasDecisions = await enforcer.hasDecisions
        return status
    }

    /// Tells systemd's watchdog that decisions can be taken: the sign comes from behind everything that the enforcer does.
    func showLife() async {
        guard let timeout = ServiceManager.watchdogTimeout else { return }
        let pause = Duration.nanoseconds(timeout.nanoseconds / 3)
        repeat {
            _ = await enforcer.revision
            ServiceManager.isAlive()
        } while (try? await Task.sleep(for: pause)) != nil
    }

    // MARK: Memory

    /// What the start and each complete list needed, and nothing else, goes back to the system once they are over.
    func giveMemoryBack() async {
        var settled: Int?
        while (try? await Task.sleep(for: Self.settling)) != nil {
            let lists = await enforcer.completeLists
            guard lists != settled else { continue }
            settled = lists
            FreedMemory.giveBack()
            StartPages.giveBack()
        }
    }

    // MARK: Snapshot

    /// Keeps the snapshot no older than seconds; large lists are written less often.
    func keepSnapshot() async {
        // A complete list may have come before this.
        var saved: Int?
        var next = MonotonicClock.now()
        while (try? await Task.sleep(for: Self.tick)) != nil {
            let revision = await enforcer.revision
            guard revision != saved, MonotonicClock.now() >= next else { continue }
            let count = await saveSnapshot()
            saved = count == nil ? nil : revision
            next = MonotonicClock.now() + (count.map { max(2000, Deadline($0) / 200) } ?? Self.snapshotRetry)
        }
    }

    /// A failure is told once.
    ///
    /// - Returns: how many bytes there are; `nil` after a failure.
    @discardableResult
    func saveSnapshot() async -> Int? {
        guard let directory = config.stateDirectory, let snapshot = await enforcer.snapshot() else { return 0 }
        do throws(SnapshotError) {
            let bytes = try snapshot.get()
            try await Self.store(bytes, directory).get()
            board.saved()
            return bytes.count
        } catch {
            if board.failsToSave() {
                log.error("Decisions would not outlast a reboot without Local API", metadata: ["reason": "\(error)"])
            }
            return nil
        }
    }

    /// On a thread of its own: a slow disk must not hold up those that carry decisions.
    private static func store(_ bytes: [UInt8], _ directory: String) async -> Result<Void, SnapshotError> {
        await withCheckedContinuation { continuation in
            let isStarted = PlainThread.start("snapshot") {
                continuation.resume(
                    returning: Result { () throws(SnapshotError) in try SnapshotFile.store(bytes, directory) })
            }
            if !isStarted { continuation.resume(returning: .failure(SnapshotError("no thread"))) }
        }
    }

    // MARK: Allowlists

    /// Asks the Local API for its allowlists: ours tells bouncers, CrowdSec's only machines.
    func followAllowlists() async {
        metrics.set(allowlisted: config.allowlist.count)
        guard config.usesLocalAPIAllowlists else { return await enforcer.allow([], from: .localAPI) }
        var isRefused = false
        while !Task.isCancelled {
            do {
                let items = try await client.allowlists()
                isRefused = false
                await enforcer.allow(items.map(Allowances.Entry.init), from: .localAPI)
                metrics.set(allowlisted: items.count + config.allowlist.count)
            } catch .credentials, .refused {
                if !isRefused { log.info("The Local API tells bouncers no allowlists; its decisions respect them") }
                isRefused = true
                await enforcer.allow([], from: .localAPI)
            } catch {
                log.debug("Allowlists were not updated", metadata: ["error": "\(error)"])
            }
            let pause = isRefused ? GoDuration.seconds(600) : max(config.updateFrequency, .seconds(10))
            try? await Task.sleep(for: .nanoseconds(pause.nanoseconds))
        }
    }
}

extension Allowances.Entry {
    fileprivate init(_ item: AllowlistItem) {
        let now = Timestamp.now()
        self.init(
            item.range, until: item.expiration.map { MonotonicClock.now() + max(0, ($0 - now).nanoseconds / 1_000_000) }
        )
    }
}
