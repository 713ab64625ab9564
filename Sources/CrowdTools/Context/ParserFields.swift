import CrowdCore
import CrowdEngine
import CrowdText

/// Which fields of an event each installed parser sets, as its text says: names captured by groks, and statics.
struct ParserFields {
    /// Sorted; parsers that set none have an empty list.
    private(set) var byParser: [String: [String]] = [:]
    private var groks = GrokLibrary.standard(accelerated: false)

    init(_ config: SuiteConfig) throws {
        for name in FileContents.entries(config.paths.patternDirectory) {
            if let bytes = try? FileContents.read("\(config.paths.patternDirectory)/\(name)") {
                _ = groks.register(lines: String(decoding: bytes, as: UTF8.self))
            }
        }
        for file in ContentFiles.installed(in: config.paths.configDirectory).parsers {
            for document in (try? ConfigFile.documents(file.path)) ?? [] {
                guard let document, let node = try? NodeConfig(from: document), !node.name.isEmpty else { continue }
                var fields: Set<String> = []
                collect(node, &fields)
                byParser[node.name] = fields.union(byParser[node.name] ?? []).sorted()
            }
        }
    }

    private mutating func collect(_ node: NodeConfig, _ fields: inout Set<String>) {
        for pattern in node.patterns { try? groks.register(pattern.name, pattern.text) }
        if let grok = node.grok {
            let compiled = grok.name.isEmpty ? try? groks.compile(grok.pattern) : try? groks.compile(named: grok.name)
            for name in compiled?.fields ?? [] { fields.insert("evt.Parsed.\(name)") }
            collect(grok.statics, &fields)
        }
        collect(node.statics, &fields)
        for child in node.children { collect(child, &fields) }
    }

    private func collect(_ statics: [StaticConfig], _ fields: inout Set<String>) {
        for item in statics {
            switch item.target {
            case .parsed(let name): fields.insert("evt.Parsed.\(name)")
            case .meta(let name): fields.insert("evt.Meta.\(name)")
            case .target(let name): fields.insert(name.hasPrefix("evt.") ? name : "evt.\(name)")
            case .method, .enriched, .none: continue
            }
        }
    }
}
