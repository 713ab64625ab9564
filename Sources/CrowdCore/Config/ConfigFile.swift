/// Configuration files as they lie on disk: base file, `.local` beside it, environment variables.
public enum ConfigFile {
    /// The only document of the file at `path`, an empty mapping if there is none.
    ///
    /// - Parameters:
    ///   - overlay: lay `<path>.local` over it, if that exists.
    ///   - expandEnvironment: replace `$NAME` and `${NAME}` of existing variables, after merging.
    public static func load(
        _ path: String, overlay: Bool = true, expandEnvironment: Bool = true,
        environment: EnvironmentExpansion = .process
    ) throws(ConfigError) -> YAMLNode {
        var node = try document(path)
        let patchPath = path + ".local"
        if overlay, FileContents.exists(patchPath) { node = try node.merged(with: try document(patchPath)) }
        return expandEnvironment ? environment(node) : node
    }

    /// All documents of the file at `path` (acquisition, profiles); `nil` is an empty one.
    public static func documents(
        _ path: String, expandEnvironment: Bool = false, environment: EnvironmentExpansion = .process
    ) throws(ConfigError) -> [YAMLNode?] {
        let all = try YAML.documents(try FileContents.read(path), file: path)
        return expandEnvironment ? all.map { $0.map { environment($0) } } : all
    }

    private static func document(_ path: String) throws(ConfigError) -> YAMLNode {
        try YAML.document(try FileContents.read(path), file: path)
            ?? YAMLNode(.mapping([]), at: SourceMark(file: path, line: 1, column: 1))
    }
}
