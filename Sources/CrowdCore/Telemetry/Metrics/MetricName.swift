/// Every metric the suite exports. Raw values are the names CrowdSec's users graph (surface facts F, protocol facts
/// F.7); what has no counterpart there is marked as ours.
public enum MetricName: String, CaseIterable, Sendable {
    // All
    case info = "cs_info"
    // Agent: parsing
    case parserHits = "cs_parser_hits_total"
    case parserHitsOK = "cs_parser_hits_ok_total"
    case parserHitsKO = "cs_parser_hits_ko_total"
    case nodeHits = "cs_node_hits_total"
    case nodeHitsOK = "cs_node_hits_ok_total"
    case nodeHitsKO = "cs_node_hits_ko_total"
    case nodeWhitelistHits = "cs_node_wl_hits_total"
    case nodeWhitelistHitsOK = "cs_node_wl_hits_ok_total"
    case parsingTime = "cs_parsing_time_seconds"
    // Agent: buckets
    case bucketPourTime = "cs_bucket_pour_seconds"
    case bucketPoured = "cs_bucket_poured_total"
    case bucketOverflowed = "cs_bucket_overflowed_total"
    case bucketCanceled = "cs_bucket_canceled_total"
    case bucketUnderflowed = "cs_bucket_underflowed_total"
    case bucketInstantiated = "cs_bucket_instantiation_total"
    case buckets = "cs_buckets"
    case cacheSize = "cs_cache_size"
    case regexpCacheSize = "cs_regexp_cache_size"
    // Agent: sources
    case fileSourceHits = "cs_filesource_hits_total"
    case journalSourceHits = "cs_journalctlsource_hits_total"
    case syslogSourceHits = "cs_syslogsource_hits_total"
    case syslogSourceParsed = "cs_syslogsource_parsed_total"
    case dockerSourceHits = "cs_dockersource_hits_total"
    case httpSourceHits = "cs_httpsource_hits_total"
    case linesDropped = "cs_lines_dropped_total"
    // Agent: delivery and back-pressure (ours)
    case spoolAlerts = "cs_spool_alerts"
    case spoolBytes = "cs_spool_bytes"
    case spoolWritten = "cs_spool_written_total"
    case spoolSent = "cs_spool_sent_total"
    case spoolRefused = "cs_spool_refused_total"
    case spoolShed = "cs_spool_shed_total"
    case sourceLagBytes = "cs_source_lag_bytes"
    case sourceLagSeconds = "cs_source_lag_seconds"
    case sourceBehind = "cs_source_behind"
    case linesShed = "cs_lines_shed_total"
    // Local API
    case routeRequests = "cs_lapi_route_requests_total"
    case machineRequests = "cs_lapi_machine_requests_total"
    case bouncerRequests = "cs_lapi_bouncer_requests_total"
    case decisionsOK = "cs_lapi_decisions_ok_total"
    case decisionsKO = "cs_lapi_decisions_ko_total"
    case requestDuration = "cs_lapi_request_duration_seconds"
    case activeDecisions = "cs_active_decisions"
    case alerts = "cs_alerts"
    /// Ours.
    case serverProblem = "cs_lapi_problem"
    case machineHeartbeat = "cs_machines_last_heartbeat_timestamp"
    // Firewall bouncer
    case bannedIPs = "fw_bouncer_banned_ips"
    case droppedPackets = "fw_bouncer_dropped_packets"
    case droppedBytes = "fw_bouncer_dropped_bytes"
    case processedPackets = "fw_bouncer_processed_packets"
    case processedBytes = "fw_bouncer_processed_bytes"
    case lapiRequests = "lapi_requests_total"
    case lapiRequestFailures = "lapi_requests_failures_total"
    // Firewall bouncer: proof (ours)
    case decided = "fw_bouncer_decided"
    case enforced = "fw_bouncer_enforced"
    case drift = "fw_bouncer_drift"
    case repaired = "fw_bouncer_repaired_total"
    case lastVerified = "fw_bouncer_last_verified_timestamp"
    case lastAnswer = "fw_bouncer_lapi_last_answer_timestamp"
    case healthy = "fw_bouncer_healthy"
    case connectionsCut = "fw_bouncer_connections_cut_total"
    case allowlisted = "fw_bouncer_allowlisted"
    case refusedElements = "fw_bouncer_refused_elements_total"

    /// One sentence for `# HELP`.
    public var help: String {
        switch self {
        case .info: "Information about Crowdsec."
        case .parserHits: "Total events entered the parser."
        case .parserHitsOK: "Total events were successfully parsed."
        case .parserHitsKO: "Total events were unsuccessfully parsed."
        case .nodeHits: "Total events entered node."
        case .nodeHitsOK: "Total events successfully exited node."
        case .nodeHitsKO: "Total events unsuccessfully exited node."
        case .nodeWhitelistHits: "Total events processed by whitelist node."
        case .nodeWhitelistHitsOK: "Total events successfully whitelisted by node."
        case .parsingTime: "Time spent parsing a line"
        case .bucketPourTime: "Time spent pouring an event to buckets."
        case .bucketPoured: "Total events were poured in bucket."
        case .bucketOverflowed: "Total buckets overflowed."
        case .bucketCanceled: "Total buckets canceled."
        case .bucketUnderflowed: "Total buckets underflowed."
        case .bucketInstantiated: "Total buckets were instantiated."
        case .buckets: "Number of buckets that currently exist."
        case .cacheSize: "Entries per cache."
        case .regexpCacheSize: "Entries per regexp cache."
        case .fileSourceHits, .journalSourceHits, .syslogSourceHits, .dockerSourceHits, .httpSourceHits:
            "Total lines that were read."
        case .linesDropped: "Lines dropped because they came faster than they were parsed and could not wait."
        case .syslogSourceParsed: "Total lines that were successfully parsed by the syslog source."
        case .spoolAlerts: "Alerts kept until the Local API takes them."
        case .spoolBytes: "Bytes of the alerts kept."
        case .spoolWritten: "Alerts written to disk because the Local API had not taken them yet."
        case .spoolSent: "Alerts that the Local API took."
        case .spoolRefused: "Alerts that the Local API refused for good."
        case .spoolShed: "Oldest alerts dropped because the spool was full."
        case .sourceLagBytes: "Bytes of the source not read yet."
        case .sourceLagSeconds: "Seconds since all that the source had was read."
        case .sourceBehind: "1 while a source is written faster than it is parsed, for more than half a minute."
        case .linesShed: "Lines dropped because the pipeline was full."
        case .routeRequests: "Number of calls to each route per method."
        case .machineRequests: "Number of calls to each route per method grouped by machines."
        case .bouncerRequests: "Number of calls to each route per method grouped by bouncers."
        case .decisionsOK: "Number of calls to /decisions that returned non-empty result."
        case .decisionsKO: "Number of calls to /decisions that returned empty result."
        case .requestDuration: "Response time of LAPI"
        case .activeDecisions: "Number of active decisions."
        case .alerts: "Number of alerts (excluding CAPI)."
        case .machineHeartbeat: "Last heartbeat of the machine, in seconds since the epoch."
        case .serverProblem: "1 while that part of the Local API is in trouble."
        case .bannedIPs: "Denotes the number of IPs which are currently banned."
        case .droppedPackets: "Denotes the number of total dropped packets because of rule(s) created by crowdsec."
        case .droppedBytes: "Denotes the number of total dropped bytes because of rule(s) created by crowdsec."
        case .processedPackets: "Denotes the number of total processed packets by the rules created by crowdsec."
        case .processedBytes: "Denotes the number of total processed bytes by the rules created by crowdsec."
        case .lapiRequests: "The total number of calls to CrowdSec LAPI"
        case .lapiRequestFailures: "The total number of failed calls to CrowdSec LAPI"
        case .decided: "Elements that the decisions ask for."
        case .enforced: "Elements found in the kernel's sets at the last verification."
        case .drift: "Elements, rules and tables that differed at the last verification."
        case .repaired: "Differences repaired."
        case .lastVerified: "Last complete verification, in seconds since the epoch."
        case .lastAnswer: "Last answer of the Local API, in seconds since the epoch."
        case .healthy: "1 while all that was decided is enforced and the Local API answers."
        case .connectionsCut: "Connections of banned addresses that connection tracking was made to forget."
        case .allowlisted: "Elements of the sets of addresses that are never dropped."
        case .refusedElements: "Elements that the kernel refused."
        }
    }

    /// Exported at level `full` only; the others also at `aggregated`.
    var isDetailed: Bool {
        switch self {
        case .nodeHits, .nodeHitsOK, .nodeHitsKO, .bucketPoured, .machineRequests, .bouncerRequests, .decisionsOK,
            .decisionsKO, .requestDuration, .activeDecisions, .alerts, .machineHeartbeat:
            true
        default: false
        }
    }
}
