public import CrowdCore
import Synchronization

/// What CrowdSec's central service knows of an address.
struct Reputation: Sendable {
    var behaviors: [String] = []
    var attackDetails: [String] = []
    var classifications: [String] = []
    var falsePositives: [String] = []
    var backgroundNoise = 0
    /// Of the last day, 0 to 5.
    var lastDayScore = 0.0

    var isInCommunityBlocklist: Bool { classifications.contains("community-blocklist") }
    /// 1 for what the community blocks; otherwise by the last day's deeds.
    var maliciousness: Double { isInCommunityBlocklist ? 1 : max(lastDayScore, 0) / 10 }
}

extension Reputation {
    init(_ bytes: [UInt8]) throws(JSONError) {
        let json = try JSON.parse(bytes)
        behaviors = Self.names(json["behaviors"])
        attackDetails = Self.names(json["attack_details"])
        classifications = Self.names(json["classifications"]?["classifications"])
        falsePositives = Self.names(json["classifications"]?["false_positives"])
        backgroundNoise = Int(Self.number(json["background_noise_score"]).rounded())
        lastDayScore = Self.number(json["scores"]?["last_day"]?["total"])
    }

    /// `name` of each.
    private static func names(_ list: JSON?) -> [String] {
        guard case .array(let items)? = list else { return [] }
        return items.compactMap { if case .string(let name)? = $0["name"] { name } else { nil } }
    }

    private static func number(_ json: JSON?) -> Double {
        guard case .number(let number)? = json, number.double.magnitude < 1e6 else { return 0 }
        return number.double
    }
}

/// Reputations of addresses, asked of CrowdSec's CTI service and kept for a while (`api.cti`).
///
/// A refused key ends the asking; more questions than are paid for stop it for five minutes.
public final class Reputations: Sendable {
    private struct State {
        var known: ExpiringCache<IPAddress, Reputation>
        var isRefused = false
        var pausedUntil = Timestamp(nanoseconds: 0)
    }

    private static let pause = GoDuration.seconds(300)

    private let key: String
    private let lifetime: GoDuration
    private let web: any WebAccess
    private let baseURL: String
    private let state: Mutex<State>

    /// - Parameter baseURL: of the service; the path of its answers, up to the address.
    public init(
        key: String, lifetime: GoDuration, capacity: Int, web: any WebAccess,
        baseURL: String = "https://cti.api.crowdsec.net/v2/smoke/"
    ) {
        self.key = key
        self.lifetime = lifetime
        self.web = web
        self.baseURL = baseURL
        state = Mutex(State(known: ExpiringCache(capacity: capacity)))
    }

    /// Those that a configuration asks for; nil where it is switched off.
    public convenience init?(_ config: CTIConfig?, web: any WebAccess) {
        guard let config, config.enabled, let key = config.key, !key.isEmpty else { return nil }
        self.init(key: key, lifetime: config.cacheTimeout, capacity: config.cacheSize, web: web)
    }

    func find(_ text: String, now: Timestamp = .now()) throws(ValueError) -> Reputation {
        guard let address = IPAddress(text) else { throw ValueError("'\(text)' is no address") }
        let (known, problem) = state.withLock { state -> (Reputation?, String?) in
            if let reputation = state.known.find(address, at: now) { return (reputation, nil) }
            if state.isRefused { return (nil, "CTI refused the API key") }
            return (nil, state.pausedUntil > now ? "CTI was asked too often" : nil)
        }
        if let known { return known }
        if let problem { throw ValueError(problem) }
        let reputation = try ask(address, now)
        state.withLock { $0.known.keep(reputation, of: address, until: now + lifetime) }
        return reputation
    }

    private func ask(_ address: IPAddress, _ now: Timestamp) throws(ValueError) -> Reputation {
        let answer = try web.ask(WebQuestion("GET", baseURL + address.description, headers: [("x-api-key", key)]))
        switch answer.status {
        case 200:
            do throws(JSONError) { return try Reputation(answer.body) } catch {
                throw ValueError("CTI gave no JSON: \(error)")
            }
        // Nobody has reported it.
        case 404: return Reputation()
        case 401, 403:
            state.withLock { $0.isRefused = true }
            throw ValueError("CTI refused the API key")
        case 429:
            state.withLock { $0.pausedUntil = now + Self.pause }
            throw ValueError("CTI was asked too often")
        default: throw ValueError("CTI answered with status \(answer.status)")
        }
    }
}

/// `CrowdsecCTI(…)`: the same as expressions see it.
final class ReputationObject: ValueObject {
    static let type = ObjectType("cticlient.SmokeItem")
        .method("GetAttackDetails", 0, [], .list(.string)).method("GetBehaviors", 1, [], .list(.string))
        .method("GetClassifications", 2, [], .list(.string)).method("GetFalsePositives", 3, [], .list(.string))
        .method("GetBackgroundNoiseScore", 4, [], .int).method("GetMaliciousnessScore", 5, [], .float)
        .method("IsPartOfCommunityBlocklist", 6, [], .bool).method("IsFalsePositive", 7, [], .bool)

    private let reputation: Reputation
    private let arena: Arena

    init(_ reputation: Reputation, arena: Arena) { (self.reputation, self.arena) = (reputation, arena) }

    var type: ObjectType { Self.type }
    func field(_ index: Int) -> Value { .null }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        switch method {
        case 0: list(reputation.attackDetails)
        case 1: list(reputation.behaviors)
        case 2: list(reputation.classifications)
        case 3: list(reputation.falsePositives)
        case 4: .int(Int64(reputation.backgroundNoise))
        case 5: .float(reputation.maliciousness)
        case 6: .bool(reputation.isInCommunityBlocklist)
        default: .bool(!reputation.falsePositives.isEmpty)
        }
    }

    private func list(_ names: [String]) -> Value {
        .list(ListValue(names.map { .string(arena.copy($0)) }))
    }
}
