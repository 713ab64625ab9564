import CrowdCore
import Glibc

/// `cscli config feature-flags`: the names the reference knows and where they were switched on (surface facts B.9).
enum FeatureFlags {
    private static let known: [(name: String, summary: String)] = [
        ("chunked_decisions_stream", "Enable chunked decisions stream"),
        ("disable_http_retry_backoff", "Disable http retry backoff"),
        ("papi_client", "Enable Polling API client"),
        ("pprof_block_profile", "Enable pprof block profile"),
        ("re2_disable_grok_support", "Disable RE2 support for GROK patterns"),
        ("re2_grok_support", "Enable RE2 support for GROK patterns"),
        ("re2_regexp_in_file_support", "Enable RE2 support for RegexpInFile expr helper"),
    ]

    static func show(_ call: Invocation) throws {
        if call.flags.isOn("retired") { return }
        let file = FileContents.directory(of: FileContents.absolute(call.configPath)) + "/feature.yaml"
        let listed = try names(in: file)
        for name in listed.sorted() where !known.contains(where: { $0.name == name }) {
            call.terminal.log(.error, "\(file): unknown feature flag '\(name)'")
        }
        call.print(" --- Enabled features ---\n")
        for flag in known where isOn(flag.name, listed) { call.print("✓ \(flag.name): \(flag.summary)") }
        call.print("\n --- Disabled features ---\n")
        for flag in known where !isOn(flag.name, listed) { call.print("✗ \(flag.name): \(flag.summary)") }
        call.print("\nTo enable a feature you can:")
        call.print("  - set the environment variable CROWDSEC_FEATURE_<uppercase_feature_name> to true")
        call.print("  - add the line '- <feature_name>' to the file \(file)")
    }

    private static func names(in file: String) throws(ConfigError) -> Set<String> {
        guard FileContents.exists(file) else { return [] }
        var names: Set<String> = []
        for case let node? in try ConfigFile.documents(file) where !node.isNull { names.formUnion(try node.strings()) }
        return names
    }

    private static func isOn(_ name: String, _ listed: Set<String>) -> Bool {
        let environment = getenv("CROWDSEC_FEATURE_\(name.uppercased())").map { String(cString: $0) }
        return environment == "true" || (environment != "false" && listed.contains(name))
    }
}
