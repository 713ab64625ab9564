/// `simulation.yaml`: whose alerts only pretend (surface facts B.6).
public struct SimulationConfig: Equatable, Sendable {
    public var simulation = false
    public var exclusions: Set<String> = []

    public init() {}

    /// Reads `path` with its `.local` file; a missing file simulates nothing.
    public static func load(path: String) throws(ConfigError) -> SimulationConfig {
        guard FileContents.exists(path) else { return SimulationConfig() }
        return try SimulationConfig(from: try ConfigFile.load(path, expandEnvironment: false))
    }

    public init(from node: YAMLNode) throws(ConfigError) {
        let yaml = try node.mapping(type: "csconfig.SimulationConfig", known: ["simulation", "exclusions"])
        simulation = try yaml.bool("simulation") ?? false
        exclusions = Set(try yaml.strings("exclusions") ?? [])
    }

    /// Whether alerts of this scenario are simulated.
    public func isSimulated(_ scenario: String) -> Bool { simulation != exclusions.contains(scenario) }
}
