import CrowdCore
import Testing

private let paths = "config_paths: {config_dir: /etc/crowdsec, data_dir: /var/lib/crowdsec/data}\n"

private func config(_ text: String) throws -> SuiteConfig {
    let node = try #require(try YAML.document(Array(text.utf8), file: "config.yaml"))
    return try SuiteConfig(from: node, path: "/etc/crowdsec/config.yaml")
}

@Suite("config.yaml") struct SuiteConfigTests {
    @Test func defaultsAreCrowdSecs() throws {
        let config = try config(paths)
        #expect(config.common == CommonConfig())
        #expect(config.common.logMaxMegabytes == 500)
        #expect(config.paths.hubDirectory == "/etc/crowdsec/hub")
        #expect(config.paths.indexPath == "/etc/crowdsec/hub/.index.json")
        #expect(config.paths.simulationPath == "/etc/crowdsec/simulation.yaml")
        #expect(!config.prometheus.enabled && config.prometheus.listenPort == 6060)
        #expect(!config.runsAgent && !config.runsServer)
    }

    @Test func theShippedShapeIsReadWhole() throws {
        let config = try config(
            """
            common: {daemonize: true, log_media: file, log_level: warn, log_dir: /var/log/, log_max_size: 20, compress_logs: false}
            config_paths:
              config_dir: /etc/crowdsec/
              data_dir: /var/lib/crowdsec/data/
              simulation_path: /etc/crowdsec/simulation.yaml
              hub_dir: /var/lib/crowdsec/hub/
              index_path: /var/lib/crowdsec/hub/.index.json
              notification_dir: /etc/crowdsec/notifications/
              plugin_dir: /usr/lib/crowdsec/plugins/
            crowdsec_service: {acquisition_path: /etc/crowdsec/acquis.yaml, parser_routines: 0}
            cscli: {output: human, color: auto}
            db_config:
              log_level: info
              type: sqlite
              db_path: /var/lib/crowdsec/data/crowdsec.db
              flush: {max_items: 5000, max_age: 7d, bouncers_autodelete: {api_key: 30d}}
            plugin_config: {user: nobody, group: nogroup}
            api:
              client: {insecure_skip_verify: false, credentials_path: /etc/crowdsec/local_api_credentials.yaml}
              server:
                log_level: info
                listen_uri: 127.0.0.1:8080
                profiles_path: /etc/crowdsec/profiles.yaml
                trusted_ips: [127.0.0.1, "::1", 10.0.0.0/8]
                online_client: {credentials_path: /etc/crowdsec/online_api_credentials.yaml, pull: {community: false}}
                tls: {cert_file: /a.pem, key_file: /b.pem, agents_allowed_ou: [agent-ou]}
            prometheus: {enabled: true, level: full, listen_addr: 127.0.0.1, listen_port: 6061}
            """)
        #expect(config.common.logLevel == .warning && config.common.logMedia == .file)
        #expect(config.agent?.parserRoutines == 1)
        #expect(config.database?.flush.maxAge == .seconds(7 * 86400))
        #expect(config.database?.flush.bouncers.apiKey == .seconds(30 * 86400))
        #expect(config.server?.trustedIPs.count == 3)
        #expect(config.server?.onlineClient?.pullsCommunity == false)
        #expect(config.server?.tls?.agentsAllowedOU == ["agent-ou"])
        #expect(config.runsAgent && config.runsServer && config.prometheus.enabled)
    }

    @Test(arguments: [
        "prometheus: {enabled: true}", "prometheus: {listen_addr: '', listen_port: 0}",
        "prometheus: {listen_addr: , listen_port: }",
    ])
    func metricsHaveAPlaceThatIsNobodyElses(_ section: String) throws {
        let prometheus = try config(paths + section).prometheus
        #expect(prometheus.listenAddress == "127.0.0.1" && prometheus.listenPort == 6060)
    }

    @Test(arguments: [
        ("common: {}", "/etc/crowdsec/config.yaml: no configuration paths provided"),
        (paths + "prometheus:\n  foo: 1", "config.yaml:3:3: field foo not found in type csconfig.PrometheusCfg"),
        (paths + "api:\n  server: {profiles_path: /p}", "config.yaml:3:11: no listen_uri or listen_socket specified"),
        (
            paths + "api: {server: {listen_uri: x}}",
            "config.yaml:2:15: missing required field profiles_path in csconfig.LocalApiServerCfg"
        ),
        (paths + "common: {log_level: loud}", "config.yaml:2:21: not a valid logrus Level: \"loud\""),
        (paths + "prometheus: {listen_port: abc}", "config.yaml:2:27: cannot unmarshal !!str `abc` into int"),
        (paths + "prometheus: [1]", "config.yaml:2:13: cannot unmarshal !!seq into csconfig.PrometheusCfg"),
    ])
    func mistakesNameFileLineAndKey(_ text: String, _ message: String) {
        let error = #expect(throws: ConfigError.self) { try config(text) }
        #expect(error?.description == message)
    }

    @Test(arguments: [
        ("{url: 'http://127.0.0.1:8080', login: a, password: b}", "http://127.0.0.1:8080/"),
        ("{url: 'https://h/', cert_path: /c, key_path: /k}", "https://h/"),
    ])
    func credentialsEndInASlash(_ text: String, _ url: String) throws {
        let node = try #require(try YAML.document(Array(text.utf8), file: "c"))
        #expect(try LAPICredentials(from: node, path: "c").endpoint == .url(url))
    }

    @Test(arguments: [
        ("{login: a}", "no credentials or URL found in api client configuration 'c'"),
        ("{url: /s, cert_path: /c}", "c:1:1: cannot use TLS with a unix socket"),
        (
            "{url: h, login: a, cert_path: /c}",
            "c:1:1: user/password authentication and TLS authentication are mutually exclusive"
        ),
    ])
    func credentialsAreChecked(_ text: String, _ message: String) throws {
        let node = try #require(try YAML.document(Array(text.utf8), file: "c"))
        let error = #expect(throws: ConfigError.self) { _ = try LAPICredentials(from: node, path: "c") }
        #expect(error?.description == message)
    }

    @Test func simulationIsExclusiveOr() throws {
        let node = try #require(try YAML.document(Array("simulation: on\nexclusions: [a/b]".utf8), file: "s"))
        let simulation = try SimulationConfig(from: node)
        #expect(!simulation.isSimulated("a/b") && simulation.isSimulated("c/d"))
    }
}

@Suite("Command line flags") struct CommandLineFlagsTests {
    static let flags = CommandLineFlags(
        program: "crowdsec",
        flags: [.option("c", "FILE", "configuration"), .toggle("t", "test"), .option("dsn", "URL", "source")])

    @Test(
        arguments: [
            (["-c", "f", "-t"], "f", true), (["--c=f", "--t=false"], "f", false), (["-c=a=b"], "a=b", false),
            (["-t", "--"], nil, true),
        ] as [([String], String?, Bool)])
    func goSpellingsAreRead(_ arguments: [String], _ file: String?, _ test: Bool) throws {
        let values = try Self.flags.parse(arguments)
        #expect(values["c"] == file)
        #expect(values.isSet("t") == test)
    }

    @Test(
        arguments: [
            (["-x"], "flag provided but not defined: -x", 2), (["--xyz=1"], "flag provided but not defined: -xyz", 2),
            (["-t", "foo"], "argument provided but not defined: foo", 2), (["-c"], "flag needs an argument: -c", 2),
            (["-t=maybe"], "invalid boolean value \"maybe\" for -t: parse error", 2),
            (["-h"], "flag: help requested", 0),
        ] as [([String], String, Int32)])
    func mistakesAreRefused(_ arguments: [String], _ message: String, _ status: Int32) {
        let refusal = #expect(throws: CommandLineFlags.Refusal.self) { _ = try Self.flags.parse(arguments) }
        #expect(refusal?.description == message)
        #expect(refusal?.exitStatus == status)
    }
}
