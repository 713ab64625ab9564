extension YAMLNode {
    /// This node with a `.local` file laid over it: mappings merge key by key, scalars and lists are replaced, an
    /// explicit null clears the value (surface facts B.1).
    public func merged(with patch: YAMLNode) throws(ConfigError) -> YAMLNode {
        switch (content, patch.content) {
        case (.mapping(let base), .mapping(let changes)):
            var result = YAMLNode(.mapping([]), at: mark)
            result.content = .mapping(try Self.merge(base, changes))
            return result
        case (.mapping, .sequence): throw ConfigError("can't merge a sequence into a mapping", at: patch.mark)
        case (.sequence, .mapping): throw ConfigError("can't merge a mapping into a sequence", at: patch.mark)
        case (.mapping, .scalar) where !patch.isNull:
            throw ConfigError("can't merge a scalar into a mapping", at: patch.mark)
        default: return patch
        }
    }

    private static func merge(
        _ base: [(key: YAMLNode, value: YAMLNode)], _ changes: [(key: YAMLNode, value: YAMLNode)]
    ) throws(ConfigError) -> [(key: YAMLNode, value: YAMLNode)] {
        var result = base
        for change in changes {
            let key = try change.key.string()
            var index: Int?
            for (i, pair) in result.enumerated() where try pair.key.string() == key { index = i }
            if let index {
                result[index] = (change.key, try result[index].value.merged(with: change.value))
            } else {
                result.append(change)
            }
        }
        return result
    }
}
