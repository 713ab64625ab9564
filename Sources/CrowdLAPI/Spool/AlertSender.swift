internal import CrowdCore
public import Logging

/// Carries alerts from the spool to the Local API until cancelled.
public struct AlertSender: Sendable {
    /// Posts a JSON array; what `MachineClient.postAlerts` does.
    public typealias Post = @Sendable ([UInt8]) async throws(LAPIError) -> AlertReceipt

    /// Before another try when the disk does not take a dead letter.
    private static let diskPause = Duration.seconds(5)
    /// After a request began, what comes within this goes together, unless it is enough for a full one: an attack raises
    /// thousands of alerts a second, and each request costs both sides more than the alerts in it. A first alert goes at once.
    private static let gathering = Duration.milliseconds(20)

    private let spool: AlertSpool
    private let post: Post
    private let address: String
    private let log: Logger

    public init(_ spool: AlertSpool, to client: MachineClient, log: Logger) {
        self.init(spool, address: client.address, log: log) { (json) throws(LAPIError) in
            try await client.postAlerts(json)
        }
    }

    init(_ spool: AlertSpool, address: String, log: Logger, post: @escaping Post) {
        self.spool = spool
        self.post = post
        self.address = address
        self.log = log
    }

    /// Sends at once what is there and what arrives; returns when the task is cancelled. Run it once per spool.
    public func run() async {
        var plan = DeliveryPlan()
        var trouble = DeliveryTrouble(address: address, log: log)
        var next = ContinuousClock.now
        for await _ in spool.wakeUps {
            while !Task.isCancelled {
                if !spool.fillsRequest(limit: plan.limit), (try? await Task.sleep(until: next)) == nil { return }
                guard var batch = spool.nextBatch(limit: plan.limit) else { break }
                next = .now + Self.gathering
                let (outcome, refused) = await send(batch, &trouble)
                let verdict = plan.outcome(outcome, for: batch.sequences, random: .random(in: 0..<1))
                guard spool.keepAside(refused, of: &batch), spool.settle(batch, verdict) else {
                    try? await Task.sleep(for: Self.diskPause)
                    continue
                }
                guard case .retry(let delay) = verdict, delay > .zero else { continue }
                if case .failed = outcome { spool.moveToBack(batch) }
                try? await Task.sleep(for: .nanoseconds(delay.nanoseconds))
            }
            if Task.isCancelled { return }
        }
    }

    private func send(_ batch: SpoolBatch, _ trouble: inout DeliveryTrouble) async
        -> (DeliveryPlan.Outcome, refused: [AlertReceipt.Refused])
    {
        do {
            let receipt = try await post(batch.json)
            trouble.isOver(sent: batch.sequences.count)
            return (.accepted, receipt.refused)
        } catch {
            if !Task.isCancelled { trouble.met(error) }
            return (DeliveryPlan.Outcome(error), [])
        }
    }
}

/// Says once what is wrong and once that it is over, and in between only at debug level.
struct DeliveryTrouble {
    let address: String
    let log: Logger
    private var last: String?

    init(address: String, log: Logger) {
        self.address = address
        self.log = log
    }

    mutating func met(_ error: LAPIError) {
        let text = sentence(error)
        if text == last { return log.debug("\(text)") }
        last = text
        log.error("\(text)")
    }

    mutating func isOver(sent: Int) {
        guard last != nil else { return }
        last = nil
        log.info("Local API takes alerts again", metadata: ["url": "\(address)", "sent": "\(sent)"])
    }

    private func sentence(_ error: LAPIError) -> String {
        switch error {
        case .unreachable(let reason):
            "Local API at \(address) is unreachable: \(reason). Alerts are kept on disk and sent when it is back"
        case .credentials(let status, let message):
            "Local API at \(address) refuses this machine's credentials (http code \(status): \(message)). Alerts are kept"
                + " on disk; check login and password, or 'cscli machines list' on the server"
        case .refused(let status, let message):
            "Local API at \(address) did not take alerts (http code \(status)): \(message)"
        case .badAnswer(let text): "\(address) does not answer like a Local API: \(text)"
        }
    }
}
