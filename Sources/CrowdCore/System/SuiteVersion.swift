/// What every program says of itself: `-version`, `cs_info`, the User-Agent.
public enum SuiteVersion {
    public static let current = "v0.1.0"
    /// What `-version` and `cscli version` print.
    public static let report = """
        version: \(current)
        Codename: crowd
        BuildDate: -
        GoVersion: -
        SwiftVersion: \(swiftVersion)
        Platform: linux
        libre2: C++
        User-Agent: \(userAgent("crowdsec"))
        Constraint_parser: >= 1.0, <= 3.0
        Constraint_scenario: >= 1.0, <= 3.0
        Constraint_api: v1
        Constraint_acquis: >= 1.0, < 2.0
        Built-in optional components: \(components.joined(separator: ", "))
        Excluded components: \(excluded.joined(separator: ", "))
        """

    private static let components =
        ["cscli_setup"] + ["docker", "file", "http", "journalctl", "syslog"].map { "datasource_\($0)" }
    private static let excluded =
        [
            "appsec", "cloudwatch", "k8s-audit", "kafka", "kinesis", "loki", "s3", "victorialogs", "wineventlog",
        ].map { "datasource_\($0)" } + ["db_mysql"]

    private static var swiftVersion: String {
        #if compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }

    /// For the User-Agent, which the Local API wants with exactly one slash (protocol facts, trap 8).
    public static func userAgent(_ program: String) -> String { "\(program)/\(current)-linux" }
}
