import CrowdCore

/// An item's file: where it is installed and which stage its folder names.
public struct ItemFile: Sendable, Equatable {
    public var path: String
    /// Empty for items without stages.
    public var stage: String
    public init(path: String, stage: String = "") {
        self.path = path
        self.stage = stage
    }
}

/// Finds the items installed below a configuration directory, in byte order of their paths (engine facts B.1, H.3).
public enum ContentFiles {
    public struct Installed: Sendable {
        public var parsers: [ItemFile] = []
        public var postoverflows: [ItemFile] = []
        public var scenarios: [ItemFile] = []
        public var contexts: [ItemFile] = []
        public init() {}
    }

    public static func installed(in directory: String) -> Installed {
        var result = Installed()
        result.parsers = staged(directory + "/parsers")
        result.postoverflows = staged(directory + "/postoverflows")
        result.scenarios = files(directory + "/scenarios").map { ItemFile(path: $0) }
        result.contexts = files(directory + "/contexts").map { ItemFile(path: $0) }
        return result
    }

    private static func staged(_ directory: String) -> [ItemFile] {
        entries(directory).flatMap { stage in
            files(directory + "/" + stage).map { ItemFile(path: $0, stage: stage) }
        }
    }

    /// YAML files directly in or below a directory.
    private static func files(_ directory: String, depth: Int = 0) -> [String] {
        guard depth < 4 else { return [] }
        return entries(directory).flatMap { name -> [String] in
            let path = directory + "/" + name
            if FileContents.isDirectory(path) { return files(path, depth: depth + 1) }
            return name.hasSuffix(".yaml") || name.hasSuffix(".yml") ? [path] : []
        }
    }

    /// Names in a directory, sorted by bytes, hidden ones left out.
    public static func entries(_ directory: String) -> [String] { FileContents.entries(directory) }
}
