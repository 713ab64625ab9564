import CrowdCore

/// `cscli config show` for people: what is configured, section by section, under the reference's labels.
struct ConfigSummary {
    private let config: SuiteConfig

    init(_ config: SuiteConfig) { self.config = config }

    var text: String {
        var lines = global
        if let agent = config.agent { lines += self.lines(of: agent) }
        lines += ["cscli:", item("Output", config.cscli.output.rawValue)]
        lines.append(item("Hub Branch", config.cscli.hubBranch ?? ""))
        if let client = config.client { lines += clientLines(client) }
        if let server = config.server { lines += serverLines(server) }
        if let database = config.database { lines += self.lines(of: database) }
        return lines.map { $0 + "\n" }.joined()
    }

    private func item(_ label: String, _ value: String, indent: Int = 2) -> String {
        String(repeating: " ", count: indent) + "- " + label.padded(to: 26 - indent) + ": " + value
    }

    private func heading(_ name: String, isOn: Bool) -> String { isOn ? "\(name):" : "\(name) (disabled):" }

    private var global: [String] {
        let (paths, common) = (config.paths, config.common)
        return ["Global:"]
            + [
                ("Configuration Folder", paths.configDirectory), ("Data Folder", paths.dataDirectory),
                ("Hub Folder", paths.hubDirectory), ("Simulation File", paths.simulationPath),
                ("Log Folder", common.logDirectory), ("Log level", common.logLevel.rawValue),
                ("Log Media", common.logMedia.rawValue),
            ].map { item($0, $1, indent: 3) }
    }

    private func lines(of agent: AgentConfig) -> [String] {
        var lines = [
            heading("Crowdsec", isOn: agent.enabled), item("Acquisition File", agent.acquisitionPath ?? ""),
            item("Parsers routines", String(agent.parserRoutines)),
        ]
        if let directory = agent.acquisitionDirectory { lines.append(item("Acquisition Folder", directory)) }
        return lines
    }

    private func clientLines(_ client: LAPIClientConfig) -> [String] {
        var lines = ["API Client:"]
        if let path = client.credentialsPath, let credentials = try? LAPICredentials.load(path: path) {
            lines += [item("URL", credentials.endpoint.text), item("Login", credentials.login ?? "")]
        }
        return lines + [item("Credentials File", client.credentialsPath ?? "")]
    }

    private func serverLines(_ server: LAPIServerConfig) -> [String] {
        var lines = [
            heading("Local API Server", isOn: server.enabled), item("Listen URL", server.listenURI ?? ""),
            item("Listen Socket", server.listenSocket ?? ""), item("Profile File", server.profilesPath),
        ]
        if let tls = server.tls {
            for (label, path) in [("Cert File", tls.certPath), ("Key File", tls.keyPath), ("CA Cert", tls.caPath)] {
                if let path { lines.append(item(label, path)) }
            }
        }
        lines.append("  - Trusted IPs:")
        lines += server.trustedIPs.map { "      - \($0)" }
        return lines
    }

    private func lines(of database: DatabaseConfig) -> [String] {
        var facts = [("Type", database.kind.rawValue)]
        if database.kind == .sqlite {
            facts.append(("Path", database.path ?? ""))
        } else {
            facts += [
                ("Host", database.host ?? ""), ("Port", database.port.map { String($0) } ?? ""),
                ("User", database.user ?? ""), ("DB Name", database.name ?? ""),
            ]
        }
        facts += [
            ("Flush age", database.flush.maxAge?.description ?? ""),
            ("Flush size", database.flush.maxItems.map { String($0) } ?? ""),
        ]
        return ["  - Database:"] + facts.map { item($0, $1, indent: 6) }
    }
}
