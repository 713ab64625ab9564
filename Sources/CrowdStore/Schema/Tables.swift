/// The reference's own tables (protocol facts C.2), so that one database can be used by both, one after the other.
extension Table {
    /// Ours beside them; the reference leaves tables alone that it does not know.
    static let ours: [Table] = [machineScopes]

    static let machineScopes = Table(
        name: "crowd_machine_scopes", columns: [.required("machine_id", .text), .required("scope", .text)],
        primaryKey: ["machine_id"])

    static let all: [Table] = [
        machines, alerts, decisions, events, meta, bouncers, configItems, locks, metrics, allowLists, allowListItems,
        allowListLinks,
    ]

    static let machines = Table(
        name: "machines",
        columns: .stamps + [
            .optional("last_push", .time), .optional("last_heartbeat", .time), .unique("machine_id", .text),
            .required("password", .text), .required("ip_address", .text), .optional("scenarios", .text),
            .optional("version", .text), .required("is_validated", .bool, default: "false"),
            .required("auth_type", .text, default: "'password'"),
        ] + .operatingSystem + [.optional("hubstate", .json), .optional("datasources", .json)],
        indexes: [
            Index(name: "machine_last_heartbeat_created_at", columns: ["last_heartbeat", "created_at"]),
            Index(name: "machine_is_validated", columns: ["is_validated"]),
        ])

    static let alerts = Table(
        name: "alerts",
        columns: .stamps + [
            .required("scenario", .text), .optional("bucket_id", .text, default: "''"),
            .optional("message", .text, default: "''"), .optional("events_count", .integer32, default: "0"),
            .optional("started_at", .time), .optional("stopped_at", .time), .optional("source_ip", .text),
            .optional("source_range", .text), .optional("source_as_number", .text), .optional("source_as_name", .text),
            .optional("source_country", .text), .optional("source_latitude", .real),
            .optional("source_longitude", .real), .optional("source_scope", .text), .optional("source_value", .text),
            .optional("capacity", .integer32), .optional("leak_speed", .text), .optional("scenario_version", .text),
            .optional("scenario_hash", .text), .required("simulated", .bool, default: "false"),
            .optional("uuid", .text), .optional("remediation", .bool), .optional("kind", .text),
            .optional("machine_alerts", .integer),
        ],
        references: [
            Reference(
                name: "alerts_machines_alerts", column: "machine_alerts", table: "machines", onDelete: .setNull)
        ],
        indexes: [
            Index(name: "alert_id", columns: ["id"]), Index(name: "alert_uuid", columns: ["uuid"]),
            Index(name: "alert_scenario", columns: ["scenario"]),
        ])

    static let decisions = Table(
        name: "decisions",
        columns: .stamps + [
            .optional("until", .time), .required("scenario", .text), .required("type", .text),
        ] + .numericRange + [
            .required("scope", .text), .required("value", .text), .required("origin", .text),
            .required("simulated", .bool, default: "false"), .optional("uuid", .text),
            .optional("alert_decisions", .integer),
        ],
        references: [
            Reference(
                name: "decisions_alerts_decisions", column: "alert_decisions", table: "alerts", onDelete: .cascade)
        ],
        indexes: [
            Index(name: "decision_start_ip_end_ip", columns: ["start_ip", "end_ip"]),
            Index(name: "decision_value", columns: ["value"]), Index(name: "decision_until", columns: ["until"]),
            Index(name: "decision_alert_decisions", columns: ["alert_decisions"]),
        ])

    static let events = Table(
        name: "events",
        columns: .stamps + [
            .required("time", .time), .required("serialized", .text), .optional("alert_events", .integer),
        ],
        references: [
            Reference(name: "events_alerts_events", column: "alert_events", table: "alerts", onDelete: .cascade)
        ],
        indexes: [Index(name: "event_alert_events", columns: ["alert_events"])])

    static let meta = Table(
        name: "meta",
        columns: .stamps + [
            .required("key", .text), .required("value", .text), .optional("alert_metas", .integer),
        ],
        references: [
            Reference(name: "meta_alerts_metas", column: "alert_metas", table: "alerts", onDelete: .cascade)
        ],
        indexes: [Index(name: "meta_alert_metas", columns: ["alert_metas"])])

    static let bouncers = Table(
        name: "bouncers",
        columns: .stamps + [
            .unique("name", .text), .required("api_key", .text), .required("revoked", .bool),
            .optional("ip_address", .text, default: "''"), .optional("type", .text), .optional("version", .text),
            .optional("last_pull", .time), .required("auth_type", .text, default: "'api-key'"),
        ] + .operatingSystem + [.required("auto_created", .bool, default: "false")],
        indexes: [
            Index(name: "bouncer_api_key_auth_type", columns: ["api_key", "auth_type"]),
            Index(name: "bouncer_api_key_ip_address", columns: ["api_key", "ip_address"]),
            Index(name: "bouncer_last_pull_created_at", columns: ["last_pull", "created_at"]),
        ])

    static let configItems = Table(
        name: "config_items",
        columns: .stamps + [.unique("name", .text), .required("value", .longText)])

    static let locks = Table(
        name: "locks", columns: [.unique("name", .text), .required("created_at", .time)])

    static let metrics = Table(
        name: "metrics",
        columns: [
            .required("generated_type", .text), .required("generated_by", .text), .required("received_at", .time),
            .optional("pushed_at", .time), .required("payload", .longText),
        ])

    static let allowLists = Table(
        name: "allow_lists",
        columns: .stamps + [
            .unique("name", .text), .required("from_console", .bool), .optional("description", .text),
            .optional("allowlist_id", .text),
        ],
        indexes: [Index(name: "allowlist_allowlist_id", columns: ["allowlist_id"])])

    static let allowListItems = Table(
        name: "allow_list_items",
        columns: .stamps + [
            .optional("expires_at", .time), .optional("comment", .text), .required("value", .text),
        ] + .numericRange,
        indexes: [
            Index(name: "allowlistitem_start_ip_end_ip", columns: ["start_ip", "end_ip"]),
            Index(name: "allowlistitem_expires_at", columns: ["expires_at"]),
        ])

    static let allowListLinks = Table(
        name: "allow_list_allowlist_items",
        columns: [.required("allow_list_id", .integer), .required("allow_list_item_id", .integer)],
        primaryKey: ["allow_list_id", "allow_list_item_id"],
        references: [
            Reference(
                name: "allow_list_allowlist_items_allow_list_id", column: "allow_list_id", table: "allow_lists",
                onDelete: .cascade),
            Reference(
                name: "allow_list_allowlist_items_allow_list_item_id", column: "allow_list_item_id",
                table: "allow_list_items", onDelete: .cascade),
        ])
}
