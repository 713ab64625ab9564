/// YAML 1.1 text to nodes, through libyaml. Bounded: a hostile file costs at most what `Limits` allows.
public enum YAML {
    public struct Limits: Sendable {
        public var maxBytes = 16 * 1024 * 1024
        public var maxDepth = 64
        /// Nodes of all documents together, counting what aliases repeat (no billion laughs).
        public var maxNodes = 1_000_000
        public init() {}
    }

    /// The documents of a stream in order; `nil` is an empty one. A file without any content has no documents.
    ///
    /// Duplicate keys are an error, merge keys (`<<`) are resolved, aliases are replaced by what they stand for.
    public static func documents(
        _ text: [UInt8], file: String, limits: Limits = Limits()
    ) throws(ConfigError) -> [YAMLNode?] {
        guard text.count <= limits.maxBytes else {
            throw ConfigError("\(file): larger than \(limits.maxBytes) bytes")
        }
        return try text.withUnsafeBufferPointer { (bytes) throws(ConfigError) -> [YAMLNode?] in
            let composer = try YAMLComposer(bytes, file: file, limits: limits)
            return try composer.documents()
        }
    }

    /// The only document of a stream; `nil` if there is none or it is empty.
    public static func document(
        _ text: [UInt8], file: String, limits: Limits = Limits()
    ) throws(ConfigError) -> YAMLNode? {
        let all = try documents(text, file: file, limits: limits)
        guard all.count <= 1 else {
            throw ConfigError("expected one YAML document, found \(all.count)", at: all[1]?.mark)
        }
        return all.first ?? nil
    }
}
