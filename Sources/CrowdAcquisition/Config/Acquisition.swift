public import CrowdCore
import CrowdEngine

/// Reads acquisition files into data sources (surface facts C.1).
public enum Acquisition {
    /// The sources that could be made, and what was wrong with the others.
    public struct Loaded: Sendable {
        public var sources: [any DataSource] = []
        public var errors: [ConfigError] = []
        public var warnings: [String] = []
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

    static func load(_ path: String, into loaded: inout Loaded, _ context: AcquisitionContext) {
        let documents: [YAMLNode?]
        do {
            documents = try ConfigFile.documents(path, expandEnvironment: true)
        } catch {
            loaded.errors.append(error)
            return
        }
        for document in documents.compactMap({ $0 }) where !document.isNull {
            do {
                loaded.sources.append(try source(document, context))
            } catch {
                loaded.errors.append(error)
            }
        }
    }

    private static func source(_ document: YAMLNode, _ context: AcquisitionContext) throws(ConfigError)
        -> any DataSource
    {
        let yaml = try document.anyMapping()
        let kind: String
        if let named = try yaml.string("source"), !named.isEmpty {
            kind = named
        } else if yaml["filename"] != nil || yaml["filenames"] != nil {
            kind = "file"
        } else if yaml["journalctl_filter"] != nil {
            kind = "journalctl"
        } else {
            throw ConfigError("missing 'source' field", at: document.mark)
        }
        let (source, common) = try source(kind, document, context)
        guard let transform = common.transform else { return source }
        return try TransformedSource(source, transform, log: context.log)
    }

    private static func source(
        _ kind: String, _ document: YAMLNode, _ context: AcquisitionContext
    ) throws(ConfigError) -> (any DataSource, SourceCommon) {
        switch kind {
        case "file":
            let config = try FileSourceConfig(from: document)
            return (FileSource(config, context), config.common)
        case "journalctl":
            let config = try JournalSourceConfig(from: document)
            return (JournalSource(config, context), config.common)
        case "syslog":
            let config = try SyslogSourceConfig(from: document)
            return (SyslogSource(config, context), config.common)
        case "http":
            let config = try HTTPSourceConfig(from: document)
            return (HTTPSource(config, context), config.common)
        case "docker":
            let config = try DockerSourceConfig(from: document)
            return (DockerSource(config, context), config.common)
        case "kafka", "kinesis", "cloudwatch", "s3", "loki", "victorialogs", "k8s-audit", "wineventlog", "appsec":
            throw ConfigError("data source \(kind) is not built in this version of crowd-agent", at: document.mark)
        default: throw ConfigError("unknown data source \(kind)", at: document.mark)
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
        guard let mark = dsn.range(ofScheme: "://") else { throw ConfigError("\(dsn) isn't valid dsn (no protocol)") }
        let scheme = dsn[..<mark.lowerBound]
        let rest = String(dsn[mark.upperBound...])
        switch scheme {
        case "file": return FileSource(try FileSourceConfig(dsn: rest, labels: labels), context)
        case "journalctl": return JournalSource(try JournalSourceConfig(dsn: rest, labels: labels), context)
        case "docker": return DockerSource(try DockerSourceConfig(dsn: rest, labels: labels), context)
        default: throw ConfigError("\(scheme) datasource does not support command-line acquisition")
        }
    }
}

extension String {
    fileprivate func range(ofScheme text: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
            at = index(after: at)
        }
        return nil
    }
}
