import CrowdHub

/// What was probably meant by a word that is no command, as cobra finds it: two letters away at the most, or begun so.
struct Suggestions {
    private let names: [String]
    private static let maxDistance = 2

    init(for word: String, among commands: [Command]) {
        let wanted = word.lowercased()
        names = commands.filter { command in
            guard !command.isHidden else { return false }
            let name = command.name.lowercased()
            return name.hasPrefix(wanted) || NearestName.distance(from: wanted, to: name) <= Self.maxDistance
        }.map(\.name)
    }

    /// Behind the message; empty when nothing is near.
    var text: String {
        guard !names.isEmpty else { return "" }
        return "\n\nDid you mean this?\n" + names.sorted().map { "\t\($0)\n" }.joined()
    }
}
