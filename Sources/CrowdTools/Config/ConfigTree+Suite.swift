import CrowdCore

extension ConfigTree {
    init(_ config: SuiteConfig) {
        self = .section(
            type: "Config",
            fields: [
                ("Common", .init(config.common)), ("Prometheus", .init(config.prometheus)),
                ("Crowdsec", config.agent.map { .init($0) } ?? .absent), ("Cscli", Self.cscli(config)),
                ("DbConfig", config.database.map { .init($0) } ?? .absent),
                ("API", .section(type: "APICfg", fields: Self.api(config))), ("ConfigPaths", .init(config.paths)),
                (
                    "PluginConfig",
                    .section(
                        type: "PluginCfg",
                        fields: [("User", .optional(config.plugins.user)), ("Group", .optional(config.plugins.group))])
                ),
                (
                    "Hub",
                    .section(
                        type: "LocalHubCfg",
                        fields: [
                            ("HubDir", .text(config.paths.hubDirectory)),
                            ("HubIndexFile", .text(config.paths.indexPath)),
                            ("InstallDir", .text(config.paths.configDirectory)),
                            ("InstallDataDir", .text(config.paths.dataDirectory)),
                        ])
                ),
            ])
    }

    private static func api(_ config: SuiteConfig) -> [(name: String, value: ConfigTree)] {
        [
            ("Client", config.client.map { .init($0) } ?? .absent),
            ("Server", config.server.map { .init($0) } ?? .absent),
            (
                "CTI",
                config.cti.map { .section(type: "CTICfg", fields: [("Enabled", .boolPointer($0.enabled))]) } ?? .absent
            ),
        ]
    }

    private init(_ common: CommonConfig) {
        self = .section(
            type: "CommonCfg",
            fields: [
                ("LogMedia", .text(common.logMedia.rawValue)), ("LogDir", .text(common.logDirectory)),
                ("LogLevel", .named(common.logLevel.logrusNumber, common.logLevel.rawValue)),
                ("WorkingDir", .optional(common.workingDirectory)),
                ("CompressLogs", .boolPointer(common.compressLogs)), ("LogMaxSize", .number(common.logMaxMegabytes)),
                ("LogMaxAge", .number(common.logMaxDays)), ("LogMaxFiles", .number(common.logMaxFiles)),
                ("LogFormat", .text(common.logFormat.rawValue)), ("ForceColorLogs", .bool(common.forceColorLogs)),
            ])
    }

    private init(_ prometheus: PrometheusConfig) {
        self = .section(
            type: "PrometheusCfg",
            fields: [
                ("Enabled", .bool(prometheus.enabled)), ("Level", .text(prometheus.level.rawValue)),
                ("ListenAddr", .text(prometheus.listenAddress)), ("ListenPort", .number(prometheus.listenPort)),
            ])
    }

    private init(_ agent: AgentConfig) {
        self = .section(
            type: "CrowdsecServiceCfg",
            fields: [
                ("Enable", .boolPointer(agent.enabled)), ("AcquisitionFilePath", .optional(agent.acquisitionPath)),
                ("AcquisitionDirPath", .optional(agent.acquisitionDirectory)),
                ("ConsoleContextPath", .text(agent.contextPath)),
                ("ConsoleContextValueLength", .number(agent.contextValueBytes)),
                ("ParserRoutinesCount", .number(agent.parserRoutines)),
                ("BucketsRoutinesCount", .number(agent.bucketRoutines)),
                ("OutputRoutinesCount", .number(agent.outputRoutines)),
            ])
    }

    /// `cscli`'s own section; the metrics address comes from `prometheus`.
    private static func cscli(_ config: SuiteConfig) -> ConfigTree {
        .section(
            type: "CscliCfg",
            fields: [
                ("Output", .text(config.cscli.output.rawValue)), ("Color", .text(config.cscli.color)),
                ("HubBranch", .optional(config.cscli.hubBranch)),
                ("HubURLTemplate", .optional(config.cscli.hubURLTemplate)),
                ("HubWithContent", .bool(config.cscli.hubWithContent)),
                (
                    "PrometheusUrl",
                    .text("http://\(config.prometheus.listenAddress):\(config.prometheus.listenPort)/metrics")
                ),
            ])
    }
}
