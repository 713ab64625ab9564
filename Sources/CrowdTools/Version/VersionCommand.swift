import CrowdCore

extension Command {
    /// `cscli version` (surface facts A.13).
    static let version = Command(name: "version", summary: "Display version", needsConfig: false) { call in
        call.print(SuiteVersion.report)
    }
}
