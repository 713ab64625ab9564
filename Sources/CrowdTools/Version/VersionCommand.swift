import CrowdCore

extension Command {
    /// `cscli version` (surface facts A.13).
    static let version = Command(name: "version", summary: "Display version", needsConfig: false) { call in
        call.print(
            """
            version: \(SuiteVersion.current)
            Codename: crowd
            BuildDate: -
            GoVersion: -
            SwiftVersion: \(swiftVersion)
            Platform: linux
            libre2: C++
            User-Agent: \(SuiteVersion.userAgent("crowdsec"))
            Constraint_parser: >= 1.0, <= 3.0
            Constraint_scenario: >= 1.0, <= 3.0
            Constraint_api: v1
            Constraint_acquis: >= 1.0, < 2.0
            Built-in optional components: datasource_file
            Excluded components: -
            """)
    }

    private static var swiftVersion: String {
        #if compiler(>=6.3)
            "6.3"
        #else
            "6.2"
        #endif
    }
}
