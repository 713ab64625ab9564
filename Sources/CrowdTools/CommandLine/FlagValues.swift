import CrowdCore

/// The flags of one command line: what was given, over what the flags say when they are not.
struct FlagValues: Sendable {
    private var given: [String: [String]] = [:]
    private let fallbacks: [String: String]

    init(_ flags: [Flag]) { fallbacks = Dictionary(flags.map { ($0.name, $0.fallback) }) { first, _ in first } }

    mutating func set(_ flag: Flag, _ value: String) throws(CommandError) {
        switch flag.kind {
        case .bool:
            guard ["true", "false", "1", "0", "t", "f", "T", "F", "TRUE", "FALSE", "True", "False"].contains(value)
            else {
                throw invalid(flag, value, "strconv.ParseBool: parsing \"\(value)\": invalid syntax")
            }
            given[flag.name] = [value.lowercased().hasPrefix("t") || value == "1" ? "true" : "false"]
        case .int:
            guard Int(value) != nil else {
                throw invalid(flag, value, "strconv.ParseInt: parsing \"\(value)\": invalid syntax")
            }
            given[flag.name] = [value]
        case .duration:
            guard GoDuration(value, allowingDays: true) != nil else {
                throw invalid(flag, value, Self.durationFault(value))
            }
            given[flag.name] = [value]
        case .strings: given[flag.name, default: []] += value.split(separator: ",").map { String($0) }
        case .string: given[flag.name] = [value]
        }
    }

    private func invalid(_ flag: Flag, _ value: String, _ reason: String) -> CommandError {
        let name = flag.short.map { "-\($0), --\(flag.name)" } ?? "--\(flag.name)"
        return CommandError("invalid argument \"\(value)\" for \"\(name)\" flag: \(reason)")
    }

    private static func durationFault(_ text: String) -> String {
        let days = text.split(separator: "d", maxSplits: 1, omittingEmptySubsequences: false)
        if days.count == 2, Int(days[0]) == nil, days[0].contains(where: \.isNumber) {
            return "invalid day value in duration \"\(text)\""
        }
        return "time: invalid duration \"\(text)\""
    }

    /// A duration in Go's words (`60h0m0s` for `2d12h`); nil when it was not given and has no default.
    func duration(_ name: String) -> GoDuration? { GoDuration(text(name), allowingDays: true) }

    func isGiven(_ name: String) -> Bool { given[name] != nil }
    func text(_ name: String) -> String { given[name]?.last ?? fallbacks[name] ?? "" }
    func list(_ name: String) -> [String] { given[name] ?? [] }
    func isOn(_ name: String) -> Bool { text(name) == "true" }
    func int(_ name: String) -> Int { Int(text(name)) ?? 0 }
    /// The value, if it was given or has a default that is not empty.
    func nonEmpty(_ name: String) -> String? {
        let value = text(name)
        return value.isEmpty ? nil : value
    }
}

/// What a command ends with when it fails; printed once, exit status 1.
struct CommandError: Error, Equatable, CustomStringConvertible {
    var message: String
    /// The help goes before it, to standard output.
    var showsHelp = false

    init(_ message: String, showsHelp: Bool = false) {
        self.message = message
        self.showsHelp = showsHelp
    }

    var description: String { message }
}
