import CrowdCore
import CrowdText

/// `source: docker` (surface facts C.6). Images as selectors are ours.
struct DockerSourceConfig: Sendable {
    var common: SourceCommon
    var containers = DockerSelector()
    var services = DockerSelector()
    var followsOutput = true
    var followsErrors = true
    /// From when on lines are read of what is followed for the first time; nil for now.
    var since: Timestamp?
    var until: Timestamp?
    var host: DockerHost
    /// Longest line kept, in bytes.
    var maxLineBytes = 64 * 1024
    /// Stands for what is selected: places are kept by it.
    var fingerprint = ""
    /// A container that is not there is an error: only when reading once from the command line.
    var demandsContainer = false

    private static let containerKeys = [
        "container_name", "container_id", "container_name_regexp", "container_id_regexp", "container_image",
        "container_image_regexp",
    ]
    private static let serviceKeys = ["service_name", "service_id", "service_name_regexp", "service_id_regexp"]
    private static let keys =
        SourceCommon.keys + containerKeys + serviceKeys + [
            "use_container_labels", "use_service_labels", "follow_stdout", "follow_stderr", "since", "until",
            "docker_host", "check_interval",
        ]

    init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.sourceMapping(
            type: "dockeracquisition.Configuration", known: Self.keys,
            reading: "while parsing DockerAcquisition configuration:")
        common = try SourceCommon(yaml, at: node.mark, needsLabels: false)
        guard common.mode != .server else {
            throw ConfigError("unsupported mode 'server' for docker source", at: node.mark)
        }
        host = try DockerHost(try yaml.string("docker_host") ?? "")
        followsOutput = try yaml.bool("follow_stdout") ?? true
        followsErrors = try yaml.bool("follow_stderr") ?? true
        guard followsOutput || followsErrors else {
            throw ConfigError("follow_stdout and follow_stderr are both false: nothing would be read", at: node.mark)
        }
        since = try Self.time(yaml, "since")
        until = try Self.time(yaml, "until")
        _ = try yaml.string("check_interval")
        try readSelectors(yaml)
    }

    private mutating func readSelectors(_ yaml: YAMLMapping) throws(ConfigError) {
        containers.names = try yaml.strings("container_name") ?? []
        containers.ids = try yaml.strings("container_id") ?? []
        containers.images = try yaml.strings("container_image") ?? []
        containers.namePatterns = try Self.patterns(yaml, "container_name_regexp")
        containers.idPatterns = try Self.patterns(yaml, "container_id_regexp")
        containers.imagePatterns = try Self.patterns(yaml, "container_image_regexp")
        services.names = try yaml.strings("service_name") ?? []
        services.ids = try yaml.strings("service_id") ?? []
        services.namePatterns = try Self.patterns(yaml, "service_name_regexp")
        services.idPatterns = try Self.patterns(yaml, "service_id_regexp")
        try readLabels(yaml, "use_container_labels", &containers, Self.containerKeys)
        try readLabels(yaml, "use_service_labels", &services, Self.serviceKeys)
        let selection = (Self.containerKeys + Self.serviceKeys).map { "\($0): \(yaml[$0]?.yamlText ?? "")" }
        fingerprint = String(Checksum.crc32(Array(selection.joined(separator: "\n").utf8)), radix: 16)
        guard !containers.isEmpty || !services.isEmpty else {
            throw ConfigError(
                "no container or service is selected: a name, an id, a pattern or use_container_labels is needed",
                at: yaml.mark)
        }
    }

    private func readLabels(
        _ yaml: YAMLMapping, _ key: String, _ selector: inout DockerSelector, _ others: [String]
    ) throws(ConfigError) {
        guard try yaml.bool(key) ?? false else { return }
        if let other = others.first(where: { yaml.present($0) != nil }) {
            throw ConfigError("\(key) and \(other) are mutually exclusive", at: yaml[key]?.mark)
        }
        selector.usesLabels = true
    }

    private static func patterns(_ yaml: YAMLMapping, _ key: String) throws(ConfigError) -> [GoPattern] {
        var patterns: [GoPattern] = []
        for item in try yaml.present(key)?.sequence() ?? [] {
            do {
                patterns.append(try GoPattern(try item.string()))
            } catch let error as ConfigError {
                throw error
            } catch {
                throw ConfigError("\(key): \(error)", at: item.mark)
            }
        }
        return patterns
    }

    private static func time(_ yaml: YAMLMapping, _ key: String) throws(ConfigError) -> Timestamp? {
        guard let node = yaml.present(key) else { return nil }
        let text = try node.string()
        if text.isEmpty || text == "now" { return nil }
        guard let time = time(text) else {
            throw ConfigError("\(key) '\(text)' is no time and no duration", at: node.mark)
        }
        return time
    }

    /// `2026-11-21T15:04:05Z`, `1795280645.5`, or how long ago: `10m`.
    private static func time(_ text: String) -> Timestamp? {
        if let time = Timestamp(rfc3339: text) { return time }
        if let back = GoDuration(text) { return Timestamp.now() - back }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard let seconds = Int64(parts[0]), seconds >= 0, parts.count <= 2 else { return nil }
        guard let digits = parts.dropFirst().first else { return Timestamp(seconds: seconds) }
        guard let fraction = Int64((digits + "000000000").prefix(9)), fraction >= 0 else { return nil }
        return Timestamp(seconds: seconds, nanosecond: fraction)
    }

    /// `NAME_OR_ID?since=…&until=…&follow_stdout=…&follow_stderr=…&docker_host=…&log_level=…`
    init(dsn: String, labels: [(String, String)]) throws(ConfigError) {
        let parts = dsn.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = parts.first, !name.isEmpty else { throw ConfigError("empty docker:// DSN") }
        common = SourceCommon(replaying: labels)
        containers.names = [String(name)]
        containers.ids = [String(name)]
        host = try DockerHost("")
        demandsContainer = true
        for parameter in parts.dropFirst().first?.split(separator: "&") ?? [] {
            let sides = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = PercentEncoding.decode((sides.count == 2 ? sides[1] : "").utf8, plusIsSpace: true) else {
                throw ConfigError("invalid escape in docker DSN: \(parameter)")
            }
            try readParameter(String(sides[0]), value)
        }
    }

    private mutating func readParameter(_ key: String, _ value: String) throws(ConfigError) {
        func bool() throws(ConfigError) -> Bool {
            guard let flag = Bool(value) else { throw ConfigError("\(key) must be true or false") }
            return flag
        }
        func time() throws(ConfigError) -> Timestamp {
            guard let time = Self.time(value) else { throw ConfigError("\(key) '\(value)' is no time and no duration") }
            return time
        }
        switch key {
        case "since": since = try time()
        case "until": until = try time()
        case "follow_stdout": followsOutput = try bool()
        case "follow_stderr": followsErrors = try bool()
        case "docker_host": host = try DockerHost(value)
        case "log_level": try common.readLogLevel(value)
        default: throw ConfigError("unsupported key \(key) in docker DSN")
        }
    }
}
