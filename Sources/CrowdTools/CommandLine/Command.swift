/// One word of the tool's command tree, as a value: what it is called, what it takes, what it does.
struct Command: Sendable {
    typealias Action = @Sendable (Invocation) async throws -> Void

    var name: String
    var aliases: [String] = []
    /// One line, for the list in its parent's help.
    var summary: String
    /// What stands behind the name in the usage line: `NAME...`, `[flags]` is added by the help.
    var argumentsUsage = ""
    var arguments = ArgumentRule.none
    var flags: [Flag] = []
    var isHidden = false
    /// Works without config.yaml; so do the commands below it.
    var needsConfig = true
    /// Names that shell completion offers for its words.
    var completion: Candidates?
    var subcommands: [Command] = []
    /// nil for a group, which prints its help.
    var action: Action?

    func subcommand(_ word: String) -> Command? { subcommands.first { $0.name == word || $0.aliases.contains(word) } }
}

/// What shell completion offers.
struct Candidates: Sendable {
    var names: @Sendable (Invocation) throws -> [String]

    init(_ names: @escaping @Sendable (Invocation) throws -> [String]) { self.names = names }
}

/// How many words a command takes besides its flags, with cobra's messages.
enum ArgumentRule: Sendable, Equatable {
    case none
    case exactly(Int)
    case atLeast(Int)
    case atMost(Int)
    case any

    /// Why this many words are wrong, or nil.
    func refusal(of words: [String], for path: String) -> String? {
        let count = words.count
        return switch self {
        case .none where count > 0: "unknown command \"\(words[0])\" for \"\(path)\""
        case .exactly(let wanted) where count != wanted: "accepts \(wanted) arg(s), received \(count)"
        case .atLeast(let wanted) where count < wanted: "requires at least \(wanted) arg(s), only received \(count)"
        case .atMost(let wanted) where count > wanted: "accepts at most \(wanted) arg(s), received \(count)"
        default: nil
        }
    }
}

/// A flag as pflag knows it: `--name value`, `--name=value`, `-n value`, `-nvalue`, switches bundled.
struct Flag: Sendable {
    enum Kind: String, Sendable { case bool, string, strings, int, duration }

    var name: String
    var short: Character?
    var kind: Kind
    var fallback: String
    var help: String
    var isRequired = false
    /// Works, but the help does not speak of it.
    var isHidden = false

    /// The flag, left out of the help.
    var hidden: Flag {
        var flag = self
        flag.isHidden = true
        return flag
    }

    /// The flag, to be given whenever the command is.
    var required: Flag {
        var flag = self
        flag.isRequired = true
        return flag
    }

    static func toggle(_ name: String, _ short: Character? = nil, _ help: String) -> Flag {
        Flag(name: name, short: short, kind: .bool, fallback: "false", help: help)
    }

    static func text(_ name: String, _ short: Character? = nil, _ help: String, default value: String = "") -> Flag {
        Flag(name: name, short: short, kind: .string, fallback: value, help: help)
    }

    static func list(_ name: String, _ short: Character? = nil, _ help: String) -> Flag {
        Flag(name: name, short: short, kind: .strings, fallback: "", help: help)
    }

    static func int(_ name: String, _ short: Character? = nil, _ help: String, default value: Int) -> Flag {
        Flag(name: name, short: short, kind: .int, fallback: String(value), help: help)
    }

    /// A duration without default.
    static func span(_ name: String, _ help: String) -> Flag {
        Flag(name: name, short: nil, kind: .duration, fallback: "", help: help)
    }

    static func duration(_ name: String, _ short: Character? = nil, _ help: String, default value: String) -> Flag {
        Flag(name: name, short: short, kind: .duration, fallback: value, help: help)
    }
}
