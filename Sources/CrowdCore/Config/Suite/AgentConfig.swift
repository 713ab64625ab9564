/// `crowdsec_service`: what the agent reads and where it keeps bucket state.
public struct AgentConfig: Equatable, Sendable {
    public struct DNSCache: Equatable, Sendable {
        public var timeToLive: GoDuration?
        public var negativeTimeToLive: GoDuration?
        public var size: Int?
    }

    public var enabled = true
    public var acquisitionPath: String?
    /// All `*.yaml`, then all `*.yml` of this directory, not recursively.
    public var acquisitionDirectory: String?
    public var contextPath: String
    /// The context file was named, so it must exist.
    public var contextIsExplicit = false
    /// Longest context value, in bytes of its JSON list.
    public var contextValueBytes = 4000
    /// Hints for the number of workers; at least one each.
    public var parserRoutines = 1
    public var bucketRoutines = 1
    public var outputRoutines = 1
    public var stateInputFile: String?
    public var stateOutputDirectory: String?
    public var dnsCache = DNSCache()

    static let keys = [
        "enable", "acquisition_path", "acquisition_dir", "console_context_path", "console_context_value_length",
        "parser_routines", "buckets_routines", "output_routines", "state_input_file", "state_output_dir", "dns_cache",
    ]

    init(from node: YAMLNode, configDirectory: String) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.CrowdsecServiceCfg", known: Self.keys)
        enabled = try yaml.bool("enable") ?? enabled
        acquisitionPath = try yaml.path("acquisition_path")
        acquisitionDirectory = try yaml.path("acquisition_dir")
        contextIsExplicit = try yaml.path("console_context_path") != nil
        contextPath = try yaml.path("console_context_path") ?? configDirectory + "/console/context.yaml"
        let length = try yaml.int("console_context_value_length") ?? contextValueBytes
        contextValueBytes = (1...4000).contains(length) ? length : 4000
        parserRoutines = max(1, try yaml.int("parser_routines") ?? 1)
        bucketRoutines = max(1, try yaml.int("buckets_routines") ?? 1)
        outputRoutines = max(1, try yaml.int("output_routines") ?? 1)
        stateInputFile = try yaml.path("state_input_file")
        stateOutputDirectory = try yaml.path("state_output_dir")
        if let section = yaml.present("dns_cache") {
            let cache = try section.mapping(type: "csconfig.DNSCacheCfg", known: ["ttl", "negative_ttl", "size"])
            dnsCache.timeToLive = try cache.duration("ttl")
            dnsCache.negativeTimeToLive = try cache.duration("negative_ttl")
            dnsCache.size = try cache.int("size", in: 0...10_000_000)
        }
    }
}

extension YAMLMapping {
    /// A path, made absolute; an empty one counts as absent.
    func path(_ key: String) throws(ConfigError) -> String? {
        guard let text = try string(key), !text.isEmpty else { return nil }
        return FileContents.absolute(text)
    }
}
