internal import CYAML

/// Builds nodes from libyaml's events. Lives for one call of `YAML.documents`, on one thread.
final class YAMLComposer {
    /// On the heap: libyaml keeps pointers into its own structure.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let file: String
    private let limits: YAML.Limits
    private var nodeCount = 0
    /// What `*name` stands for, with its number of nodes.
    private var anchors: [String: (node: YAMLNode, size: Int)] = [:]

    init(_ bytes: UnsafeBufferPointer<UInt8>, file: String, limits: YAML.Limits) throws(ConfigError) {
        parser = .allocate(capacity: 1)
        self.file = file
        self.limits = limits
        guard yaml_parser_initialize(parser) == 1 else { throw ConfigError("\(file): out of memory") }
        yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    }

    deinit {
        yaml_parser_delete(parser)
        parser.deallocate()
    }

    func documents() throws(ConfigError) -> [YAMLNode?] {
        var found: [YAMLNode?] = []
        while true {
            let event = try next()
            switch event.kind {
            case .streamEnd: return found
            case .documentStart:
                anchors.removeAll()
                let node = try compose(try next(), depth: 0)
                found.append(node.isNull ? nil : node)
            default: continue
            }
        }
    }

    private func compose(_ event: YAMLEvent, depth: Int) throws(ConfigError) -> YAMLNode {
        guard depth <= limits.maxDepth else {
            throw ConfigError("nested deeper than \(limits.maxDepth)", at: event.mark)
        }
        let before = nodeCount
        try count(1, at: event.mark)
        let node: YAMLNode
        switch event.kind {
        case .alias(let name):
            guard let target = anchors[name] else {
                throw ConfigError("unknown anchor '\(name)' referenced", at: event.mark)
            }
            try count(target.size, at: event.mark)
            return target.node
        case .scalar(let text, let plain): node = YAMLNode(.scalar(text: text, plain: plain), at: event.mark)
        case .sequenceStart: node = YAMLNode(.sequence(try sequence(depth: depth)), at: event.mark)
        case .mappingStart: node = YAMLNode(.mapping(try mapping(depth: depth)), at: event.mark)
        default: throw ConfigError("did not find expected node content", at: event.mark)
        }
        if let anchor = event.anchor { anchors[anchor] = (node, nodeCount - before) }
        return node
    }

    private func sequence(depth: Int) throws(ConfigError) -> [YAMLNode] {
        var items: [YAMLNode] = []
        while true {
            let event = try next()
            if case .end = event.kind { return items }
            items.append(try compose(event, depth: depth + 1))
        }
    }

    private func mapping(depth: Int) throws(ConfigError) -> [(key: YAMLNode, value: YAMLNode)] {
        var pairs: [(key: YAMLNode, value: YAMLNode)] = []
        var lineOfKey: [String: Int] = [:]
        var merged: [YAMLNode] = []
        while true {
            let event = try next()
            if case .end = event.kind { break }
            let key = try compose(event, depth: depth + 1)
            let value = try compose(try next(), depth: depth + 1)
            guard case .scalar(let text, let plain) = key.content else {
                throw ConfigError("mapping keys must be scalars", at: key.mark)
            }
            if plain && text == "<<" {
                merged.append(value)
                continue
            }
            if let line = lineOfKey.updateValue(key.mark.line, forKey: text) {
                throw ConfigError("mapping key \"\(text)\" already defined at line \(line)", at: key.mark)
            }
            pairs.append((key, value))
        }
        for value in merged { try merge(value, into: &pairs, known: &lineOfKey) }
        return pairs
    }

    /// `<<`: keys of the merged mappings that are not there yet.
    private func merge(
        _ value: YAMLNode, into pairs: inout [(key: YAMLNode, value: YAMLNode)], known: inout [String: Int]
    ) throws(ConfigError) {
        switch value.content {
        case .mapping(let inner):
            for pair in inner {
                guard case .scalar(let text, _) = pair.key.content, known[text] == nil else { continue }
                known[text] = pair.key.mark.line
                pairs.append(pair)
            }
        case .sequence(let items):
            for item in items {
                guard case .mapping = item.content else { throw mergeError(item) }
                try merge(item, into: &pairs, known: &known)
            }
        case .scalar: throw mergeError(value)
        }
    }

    private func mergeError(_ node: YAMLNode) -> ConfigError {
        ConfigError("map merge requires map or sequence of maps as the value", at: node.mark)
    }

    private func count(_ nodes: Int, at mark: SourceMark) throws(ConfigError) {
        nodeCount += nodes
        guard nodeCount <= limits.maxNodes else { throw ConfigError("more than \(limits.maxNodes) nodes", at: mark) }
    }

    private func next() throws(ConfigError) -> YAMLEvent {
        var raw = yaml_event_t()
        guard yaml_parser_parse(parser, &raw) == 1 else { throw syntaxError() }
        defer { yaml_event_delete(&raw) }
        return YAMLEvent(raw, file: file)
    }

    private func syntaxError() -> ConfigError {
        let problem = parser.pointee.problem.map { String(cString: $0) } ?? "invalid YAML"
        guard parser.pointee.error != YAML_READER_ERROR else {
            return ConfigError("\(file): \(problem) at byte \(parser.pointee.problem_offset)")
        }
        let context = parser.pointee.context.map { String(cString: $0) + ": " } ?? ""
        return ConfigError("yaml: \(context)\(problem)", at: SourceMark(parser.pointee.problem_mark, file: file))
    }
}
