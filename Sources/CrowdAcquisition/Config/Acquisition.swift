public import CrowdCore
import CrowdEngine
import Logging

/// Reads acquisition files into data sources (surface facts C.1).
public enum Acquisition {
    /// The sources that could be made, and what was wrong with the others.
    public struct Loaded: Sendable {
        public var sources: [any DataSource] = []
        /// Left out because this host lacks what they need: no error of the configuration.
        public var unavailable: [String] = []
        public var errors: [ConfigError] = []
        /// How many files there were to read.
        public var files = 0
    }

    /// One file, then all `*.yaml` and all `*.yml` of a directory.
    public static func load(_ config: AgentConfig, _ context: AcquisitionContext) -> Loaded {
        var loaded = Loaded()
        if let path = config.acquisitionPath {
            load(path, into: &loaded, context)
        }
        if let directory = config.acquisitionDirectory {
            let names = ContentFiles.entries(directory)
            for suffix in [".yaml", ".yml"] {
                for name in names where name.hasSuffix(suffix) { load(directory + "/" + name, into: &loaded, context) }
            }
        }
        return loaded
    }

    static func load(
        _ path: String, into loaded: inout Loaded, _ context: AcquisitionContext,
        searchPath: String = ProgramStart.searchPath
    ) {
        let documents: [YAMLNode?]
        loaded.files += 1
        do {
            documents = try ConfigFile.documents(path, expandEnvironment: true)
        } catch {
            loaded.errors.append(AcquisitionDocument.complete(error, of: path))
            return
        }
        for (position, node) in documents.enumerated() {
            guard let node, !node.isNull else { continue }
            do {
                let document = try AcquisitionDocument(node, file: path, position: documents.count > 1 ? position : nil)
                if document.isDetected {
                    context.log.debug("\(path): datasource type missing, detected 'source=\(document.kind)'")
                }
                if let reason = document.unavailability(searchPath) {
                    loaded.unavailable.append("\(path): \(reason)")
                    continue
                }
                loaded.sources.append(try source(document, context))
            } catch {
                loaded.errors.append(error)
            }
        }
    }

    private static func source(
        _ document: AcquisitionDocument, _ context: AcquisitionContext
    ) throws(ConfigError) -> any DataSource {
        do {
            let common = try SourceCommon(document.node.anyMapping(), at: document.node.mark, needsLabels: false)
            let context = context.logging(at: common.logLevel)
            let source = try source(document.kind, document.node, context)
            guard let transform = common.transform else { return source }
            return try TransformedSource(source, transform, log: context.log)
        } catch {
            throw document.complete(error)
        }
    }

    private static func source(
        _ kind: String, _ node: YAMLNode, _ context: AcquisitionContext
    ) throws(ConfigError) -> any DataSource {
        switch kind {
        case "file": FileSource(try FileSourceConfig(from: node), context)
        case "journalctl": JournalSource(try JournalSourceConfig(from: node), context)
        case "syslog": SyslogSource(try SyslogSourceConfig(from: node), context)
        case "http": HTTPSource(try HTTPSourceConfig(from: node), context)
        case "docker": DockerSource(try DockerSourceConfig(from: node), context)
        default: throw ConfigError("unknown data source \(kind)")
        }
    }

    /// `-dsn URL -type T`: reads once, with the log's own time.
    public static func replay(
        dsn: String, labels: [(String, String)], transform: String? = nil, _ context: AcquisitionContext
    ) throws(ConfigError) -> any DataSource {
        let source = try replayed(dsn, labels, context)
        guard let transform, !transform.isEmpty else { return source }
        return try TransformedSource(source, LineTransformConfig(text: transform), log: context.log)
    }

    private static func replayed(
        _ dsn: String, _ labels: [(String, String)], _ context: AcquisitionContext
    ) throws(ConfigError) -> any DataSource {
        guard let mark = dsn.range(ofFirst: "://") else { throw ConfigError("\(dsn) isn't valid dsn (no protocol)") }
        let scheme = dsn[..<mark.lowerBound]
        let rest = String(dsn[mark.upperBound...])
        switch scheme {
        case "file":
            let config = try FileSourceConfig(dsn: rest, labels: labels)
            return FileSource(config, context.logging(at: config.common.logLevel))
        case "journalctl":
            let config = try JournalSourceConfig(dsn: rest, labels: labels)
            return JournalSource(config, context.logging(at: config.common.logLevel))
        case "docker":
            let config = try DockerSourceConfig(dsn: rest, labels: labels)
            return DockerSource(config, context.logging(at: config.common.logLevel))
        case "http", "k8s-audit", "kafka", "kinesis", "syslog", "appsec":
            throw ConfigError("\(scheme) datasource does not support command-line acquisition")
        default:
            try AcquisitionDocument.check(String(scheme))
            throw ConfigError("\(scheme) datasource does not support command-line acquisition")
        }
    }
}
