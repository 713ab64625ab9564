import CrowdCore

extension MetricsReport {
    /// One table: which labels make its rows, which metrics its columns (surface facts F.1).
    struct Section: Sendable {
        struct Column: Sendable {
            var header: String
            /// In JSON.
            var name: String
            var metrics: [String]

            init(_ header: String, _ name: String, _ metrics: String...) {
                self.header = header
                self.name = name
                self.metrics = metrics
            }
        }

        var type: String
        var title: String
        var summary: String
        var keyColumns: [(header: String, label: String)]
        var columns: [Column]
        var usesUnits = true
    }

    static let sections: [Section] = [
        Section(
            type: "acquisition", title: "Acquisition Metrics",
            summary: "Measures the lines read, parsed, and unparsed per datasource.",
            keyColumns: [("Source", "source")],
            columns: [
                .init(
                    "Lines read", "reads", "cs_filesource_hits_total", "cs_journalctlsource_hits_total",
                    "cs_syslogsource_hits_total", "cs_dockersource_hits_total", "cs_httpsource_hits_total",
                    "cs_lokisource_hits_total", "cs_victorialogssource_hits_total", "cs_kafkasource_hits_total",
                    "cs_s3_hits_total", "cs_cloudwatch_stream_hits_total", "cs_kinesis_stream_hits_total",
                    "cs_k8sauditsource_hits_total", "cs_winevtlogsource_hits_total"),
                .init("Lines parsed", "parsed", "cs_parser_hits_ok_total"),
                .init("Lines unparsed", "unparsed", "cs_parser_hits_ko_total"),
                .init("Lines poured to bucket", "pour", "cs_bucket_poured_total"),
                .init("Lines whitelisted", "whitelisted", "cs_node_wl_hits_ok_total"),
            ]),
        Section(
            type: "alerts", title: "Local API Alerts", summary: "Tracks the total number of alerts per scenario.",
            keyColumns: [("Reason", "reason")], columns: [.init("Count", "count", "cs_alerts")], usesUnits: false),
        Section(
            type: "appsec-challenge", title: "Bot Detection Metrics",
            summary: "Measures the challenges given to browsers.", keyColumns: [("Bot Detection", "appsec_engine")],
            columns: [
                .init("Requested", "requested", "cs_appsec_challenge_requested_total"),
                .init("Submitted", "submitted", "cs_appsec_challenge_submitted_total"),
                .init("Solved", "solved", "cs_appsec_challenge_accepted_total"),
                .init("Exempt", "exempt", "cs_appsec_challenge_exempt_total"),
                .init("Submissions Rejected", "rejected", "cs_appsec_challenge_rejected_total"),
            ]),
        Section(
            type: "appsec-engine", title: "Appsec Metrics",
            summary: "Requests that the AppSec Component has seen and blocked.",
            keyColumns: [("Appsec Engine", "appsec_engine")],
            columns: [
                .init("Processed", "processed", "cs_appsec_reqs_total"),
                .init("Blocked", "blocked", "cs_appsec_block_total"),
                .init("Ch. Requested", "challenge_requested", "cs_appsec_challenge_requested_total"),
                .init("Ch. Accepted", "challenge_accepted", "cs_appsec_challenge_accepted_total"),
                .init("Ch. Rejected", "challenge_rejected", "cs_appsec_challenge_rejected_total"),
            ]),
        Section(
            type: "appsec-rule", title: "Appsec Rules Metrics",
            summary: "How often each rule of an AppSec Component matched.",
            keyColumns: [("Appsec Engine", "appsec_engine"), ("Rule ID", "rule_name")],
            columns: [.init("Triggered", "triggered", "cs_appsec_rule_hits")]),
        Section(
            type: "decisions", title: "Local API Decisions",
            summary: "Provides information about all currently active decisions.",
            keyColumns: [("Reason", "reason"), ("Origin", "origin"), ("Action", "action")],
            columns: [.init("Count", "count", "cs_active_decisions")], usesUnits: false),
        Section(
            type: "lapi", title: "Local API Metrics", summary: "Monitors the requests made to local API routes.",
            keyColumns: [("Route", "route"), ("Method", "method")],
            columns: [.init("Hits", "hits", "cs_lapi_route_requests_total")], usesUnits: false),
        Section(
            type: "lapi-bouncer", title: "Local API Bouncers Metrics",
            summary: "Tracks total hits to remediation component related API routes.",
            keyColumns: [("Bouncer", "bouncer"), ("Route", "route"), ("Method", "method")],
            columns: [.init("Hits", "hits", "cs_lapi_bouncer_requests_total")], usesUnits: false),
        Section(
            type: "lapi-decisions", title: "Local API Bouncers Decisions",
            summary: "Tracks the number of empty and non-empty answers to bouncers.",
            keyColumns: [("Bouncer", "bouncer")],
            columns: [
                .init("Empty answers", "Empty", "cs_lapi_decisions_ko_total"),
                .init("Non-empty answers", "NonEmpty", "cs_lapi_decisions_ok_total"),
            ], usesUnits: false),
        Section(
            type: "lapi-machine", title: "Local API Machines Metrics",
            summary: "Tracks the number of calls to the local API from each machine.",
            keyColumns: [("Machine", "machine"), ("Route", "route"), ("Method", "method")],
            columns: [.init("Hits", "hits", "cs_lapi_machine_requests_total")], usesUnits: false),
        Section(
            type: "parsers", title: "Parser Metrics", summary: "Tracks the number of events processed by each parser.",
            keyColumns: [("Parsers", "name")],
            columns: [
                .init("Hits", "hits", "cs_node_hits_total"), .init("Parsed", "parsed", "cs_node_hits_ok_total"),
                .init("Unparsed", "unparsed", "cs_node_hits_ko_total"),
            ]),
        Section(
            type: "scenarios", title: "Scenario Metrics", summary: "Measures the buckets of each scenario.",
            keyColumns: [("Scenario", "name")],
            columns: [
                .init("Current Count", "curr_count", "cs_buckets"),
                .init("Overflows", "overflow", "cs_bucket_overflowed_total"),
                .init("Instantiated", "instantiation", "cs_bucket_instantiation_total"),
                .init("Poured", "pour", "cs_bucket_poured_total"),
                .init("Expired", "underflow", "cs_bucket_underflowed_total"),
            ]),
        Section(
            type: "stash", title: "Parser Stash Metrics", summary: "Tracks the status of stashes.",
            keyColumns: [("Name", "name"), ("Type", "type")], columns: [.init("Items", "count", "cs_cache_size")]),
        Section(
            type: "whitelists", title: "Whitelist Metrics",
            summary: "Tracks the number of events processed and possibly whitelisted by each parser whitelist.",
            keyColumns: [("Whitelist", "name"), ("Reason", "reason")],
            columns: [
                .init("Hits", "hits", "cs_node_wl_hits_total"),
                .init("Whitelisted", "whitelisted", "cs_node_wl_hits_ok_total"),
            ], usesUnits: false),
    ]
}
