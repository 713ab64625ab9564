import CrowdCore
import CrowdText

/// A `type: bots` data file: one JSON object per line, each a bot that says who it is and can be checked.
///
/// A visitor is one of them when its user agent and path fit, and its address is listed, lies in a listed range, or has
/// a name that fits and that leads back to the address. A user agent alone shows nothing.
struct KnownBots: Sendable {
    private struct Bot: Sendable {
        /// Without regard to case; nil fits any.
        var userAgent: GoPattern?
        /// One of them; none fits any.
        var paths: [GoPattern]
        var ranges: AddressRanges
        var names: [GoPattern]
    }

    private var bots: [Bot] = []

    /// What is wrong with lines that were left out.
    private(set) var problems: [String] = []

    init(_ lines: [String]) {
        for (number, line) in lines.enumerated() {
            do {
                bots.append(try KnownBots.bot(line))
            } catch {
                problems.append("bot number \(number + 1) is left out: \(error)")
            }
        }
    }

    private struct Problem: Error, CustomStringConvertible { let description: String }

    private static func bot(_ line: String) throws -> Bot {
        let json = try JSON.parse(Array(line.utf8))
        guard case .object(let members) = json else { throw Problem(description: "not a JSON object") }
        let known: Set = ["name", "user_agent", "paths", "ips", "ranges", "rdns"]
        if let other = members.first(where: { !known.contains($0.key) }) {
            throw Problem(description: "unknown key '\(other.key)'")
        }
        guard case .string(let name)? = json["name"], !name.isEmpty else {
            throw Problem(description: "it has no name")
        }
        var agent: GoPattern?
        if case .string(let text)? = json["user_agent"], !text.isEmpty { agent = try GoPattern("(?i)" + text) }
        let bot = Bot(
            userAgent: agent, paths: try texts("paths", json).map { try GoPattern($0) },
            ranges: AddressRanges(
                try texts("ips", json).map { IPRange(try address($0)) } + texts("ranges", json).map { try range($0) }),
            names: try texts("rdns", json).map { try GoPattern("(?i)" + $0) })
        guard !bot.ranges.isEmpty || !bot.names.isEmpty else {
            throw Problem(description: "\(name) has none of ips, ranges, rdns")
        }
        return bot
    }

    private static func texts(_ key: String, _ json: JSON) throws -> [String] {
        guard let value = json[key], value != .null else { return [] }
        guard case .array(let items) = value else { throw Problem(description: "\(key) is not a list") }
        return try items.map {
            guard case .string(let text) = $0 else { throw Problem(description: "\(key) has an item that is no text") }
            return text
        }
    }

    private static func address(_ text: String) throws -> IPAddress {
        guard let address = IPAddress(text) else { throw Problem(description: "'\(text)' is no address") }
        return address.unmapped
    }

    private static func range(_ text: String) throws -> IPRange {
        guard let range = IPRange(text) else { throw Problem(description: "'\(text)' is no range") }
        return range
    }

    /// - Parameter confirmedName: the address's name, where that name has the address; asked last.
    func includes(
        _ address: IPAddress, _ userAgent: ByteSlice, path: ByteSlice, confirmedName: (IPAddress) -> String?
    ) -> Bool {
        let address = address.unmapped
        let candidates = bots.filter { bot in
            bot.userAgent?.matches(userAgent) != false
                && (bot.paths.isEmpty || bot.paths.contains { $0.matches(path) })
        }
        if candidates.contains(where: { $0.ranges.contains(address) }) { return true }
        let named = candidates.filter { !$0.names.isEmpty }
        guard !named.isEmpty, var name = confirmedName(address) else { return false }
        return name.withUTF8 { bytes in
            let text = ByteSlice(bytes)
            return named.contains { $0.names.contains { $0.matches(text) } }
        }
    }
}
