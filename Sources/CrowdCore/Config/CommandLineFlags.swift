/// Command lines as Go's `flag` package reads them: `-x` or `--x`, `-x=v` or `-x v`, no bundling, flags end at the first
/// argument that is not one (surface facts B.11).
public struct CommandLineFlags: Sendable {
    public struct Flag: Sendable {
        public var name: String
        /// Name of the value in the usage text; `nil` makes it a switch.
        public var value: String?
        public var help: String

        public static func option(_ name: String, _ value: String, _ help: String) -> Flag {
            Flag(name: name, value: value, help: help)
        }
        public static func toggle(_ name: String, _ help: String) -> Flag { Flag(name: name, value: nil, help: help) }
    }

    public enum Refusal: Error, Equatable, Sendable {
        /// `-h` or `-help` was given: print the usage, exit 0.
        case help
        case undefined(String)
        case missingValue(String)
        case badSwitch(name: String, value: String)
        case badSyntax(String)
        /// Something that is not a flag.
        case stray(String)

        /// Exit status: 0 for help, 2 for mistakes.
        public var exitStatus: Int32 { self == .help ? 0 : 2 }
    }

    /// What was given.
    public struct Values: Sendable, Equatable {
        var given: [String: [String]] = [:]
        /// The last value of an option.
        public subscript(_ name: String) -> String? { given[name]?.last }
        /// All values of an option that may repeat.
        public func all(_ name: String) -> [String] { given[name] ?? [] }
        /// Whether a switch is on.
        public func isSet(_ name: String) -> Bool { given[name]?.last == "true" }
    }

    public let program: String
    public let flags: [Flag]

    public init(program: String, flags: [Flag]) {
        self.program = program
        self.flags = flags
    }

    /// - Parameter arguments: without the program's name.
    public func parse(_ arguments: [String]) throws(Refusal) -> Values {
        var values = Values()
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            guard argument.hasPrefix("-"), argument != "-" else { throw .stray(argument) }
            if argument == "--" { break }
            let body = argument.dropFirst(argument.hasPrefix("--") ? 2 : 1)
            let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(parts[0])
            guard !name.isEmpty, !name.hasPrefix("-") else { throw .badSyntax(argument) }
            let value = try value(of: name, inline: parts.count == 2 ? String(parts[1]) : nil, rest: &rest)
            values.given[name, default: []].append(value)
        }
        if let extra = rest.first { throw .stray(extra) }
        return values
    }

    private func value(of name: String, inline: String?, rest: inout ArraySlice<String>) throws(Refusal) -> String {
        guard let flag = flags.first(where: { $0.name == name }) else {
            throw name == "h" || name == "help" ? .help : .undefined(name)
        }
        guard flag.value == nil else {
            guard let value = inline ?? rest.popFirst() else { throw .missingValue(name) }
            return value
        }
        switch inline ?? "true" {
        case "1", "t", "T", "true", "TRUE", "True": return "true"
        case "0", "f", "F", "false", "FALSE", "False": return "false"
        default: throw .badSwitch(name: name, value: inline ?? "")
        }
    }

    /// Go's usage text.
    public var usage: String {
        var out = "Usage of \(program):\n"
        for flag in flags.sorted(by: { $0.name < $1.name }) {
            out += "  -\(flag.name)" + (flag.value.map { " \($0)" } ?? "") + "\n    \t\(flag.help)\n"
        }
        return out
    }
}

extension CommandLineFlags.Refusal: CustomStringConvertible {
    public var description: String {
        switch self {
        case .help: "flag: help requested"
        case .undefined(let name): "flag provided but not defined: -\(name)"
        case .missingValue(let name): "flag needs an argument: -\(name)"
        case .badSwitch(let name, let value): "invalid boolean value \"\(value)\" for -\(name): parse error"
        case .badSyntax(let text): "bad flag syntax: \(text)"
        case .stray(let text): "argument provided but not defined: \(text)"
        }
    }
}
