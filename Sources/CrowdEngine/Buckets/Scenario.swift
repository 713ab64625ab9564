import CrowdCore
import CrowdExpr

/// A scenario, compiled. Immutable: workers share it.
public final class Scenario: Sendable {
    public let name: String
    /// Position among the scenarios, by file and document.
    let number: Int
    let config: ScenarioConfig
    /// Of the scenario's text: by it a snapshot knows whose bucket it holds.
    var digest: [UInt8] { config.digest }
    let filter: Program
    let groupBy: Pinned<Program>
    let distinct: Pinned<Program>
    let cancelOn: Pinned<Program>
    let overflowFilter: Program?
    let condition: Pinned<Program>
    let scopeExpression: Program?
    let bayesian: [(condition: Program, config: ScenarioConfig.BayesianCondition)]
    let isSimulated: Bool
    /// SHA-256 of the file for hub items, empty for one's own; the version likewise.
    let hash: String
    let version: String
    /// How long a bucket lives without a pour (or, when timed, from its first pour).
    let life: GoDuration
    /// `duration` was given: the bucket overflows when its time is over.
    let isTimed: Bool
    let leakSeconds: Double
    /// At most this many events are kept; nil for no limit of its own.
    let queueLimit: Int?
    /// The condition cannot be true with fewer events in the queue.
    let leastQueue: Int
    /// Some expression looks at queued events beyond their Meta.
    let keepsWholeEvents: Bool

    init(
        _ config: ScenarioConfig, number: Int, programs: Programs, isSimulated: Bool, hash: String, version: String,
        keepsWholeEvents: Bool
    ) {
        self.config = config
        self.number = number
        name = config.name
        filter = programs.filter
        groupBy = Pinned(programs.groupBy)
        distinct = Pinned(programs.distinct)
        cancelOn = Pinned(programs.cancelOn)
        overflowFilter = programs.overflowFilter
        condition = Pinned(programs.condition)
        scopeExpression = programs.scope
        bayesian = zip(programs.bayesian, config.bayesianConditions).map { ($0, $1) }
        self.isSimulated = isSimulated
        self.hash = hash
        self.version = version
        isTimed = config.duration != nil
        let leak = config.leakspeed ?? .zero
        leakSeconds = leak.seconds
        life = config.duration ?? Scenario.life(config, leak)
        queueLimit = Scenario.queueLimit(config)
        leastQueue =
            programs.condition?.leastElements(ofVariable: BucketObject.queueSlot, field: BucketObject.eventsField) ?? 0
        let ofQueue = [programs.condition, overflowFilter, scopeExpression].compactMap { $0 } + programs.bayesian
        self.keepsWholeEvents = keepsWholeEvents || ofQueue.contains(where: \.looksBeyondMeta)
    }

    /// The compiled expressions of a scenario.
    struct Programs {
        var filter: Program
        var groupBy: Program?
        var distinct: Program?
        var cancelOn: Program?
        var overflowFilter: Program?
        var condition: Program?
        var scope: Program?
        var bayesian: [Program] = []
    }

    private static func life(_ config: ScenarioConfig, _ leak: GoDuration) -> GoDuration {
        switch config.kind {
        case .leaky:
            let (product, overflow) = leak.nanoseconds.multipliedReportingOverflow(by: Int64(config.capacity) + 1)
            return GoDuration(nanoseconds: overflow ? .max : product)
        default: return leak
        }
    }

    private static func queueLimit(_ config: ScenarioConfig) -> Int? {
        if config.cacheSize > 0, config.cacheSize <= config.capacity || config.capacity == -1 {
            return config.cacheSize + 1
        }
        return config.capacity == -1 ? nil : config.capacity + 1
    }

    /// The leakspeed as the alert shows it.
    var leakspeedText: String { (config.leakspeed ?? .zero).description }
}
