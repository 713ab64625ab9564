import CrowdCore
import CrowdHTTP

extension Command {
    /// `cscli metrics` (surface facts A.11, F.1).
    static let metrics = Command(
        name: "metrics", summary: "Display crowdsec prometheus metrics.",
        flags: [
            .text("url", "u", "Prometheus url (http://<ip>:<port>/metrics)"),
            .toggle("no-unit", nil, "Show the real number instead of formatted with units"),
        ],
        subcommands: [
            Command(
                name: "show", summary: "Display all or part of the available metrics.", argumentsUsage: "[TYPE...]",
                arguments: .any, completion: Candidates { _ in MetricsReport.types }
            ) { try await MetricsReport.show($0) },
            Command(name: "list", summary: "List available types of metrics.") { try MetricsReport.list($0) },
        ]
    ) { try await MetricsReport.show($0) }
}
