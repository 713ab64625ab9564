import CrowdCore
import CrowdEngine

/// A hub's working copy: its index, its items, its tests.
struct HubCheckout: Sendable {
    let root: String
    /// Item paths by type and name.
    private let paths: [String: [String: String]]

    /// Reads `.index.json`; without one, items can only be named by their paths.
    init(_ root: String) throws {
        self.root = FileContents.cleaned(FileContents.absolute(root))
        guard FileContents.isDirectory(self.root) else {
            throw CommandError("path to hub '\(root)' doesn't exist, can't run")
        }
        let index = self.root + "/.index.json"
        guard FileContents.exists(index) else {
            paths = [:]
            return
        }
        let json = try JSON.parse(FileContents.read(index, limit: 64 * 1024 * 1024))
        var paths: [String: [String: String]] = [:]
        for type in HubCheckout.members(json) {
            for item in HubCheckout.members(type.value) {
                guard
                    case .string(let path)? = HubCheckout.members(item.value).first(where: { $0.key == "path" })?.value
                else { continue }
                paths[type.key, default: [:]][item.key] = path
            }
        }
        self.paths = paths
    }

    private static func members(_ json: JSON) -> [JSONMember] {
        if case .object(let members) = json { members } else { [] }
    }

    /// Names of the items of a type, sorted.
    func names(_ type: String) -> [String] { (paths[type] ?? [:]).keys.sorted() }

    var testsDirectory: String { root + "/.tests" }

    /// Names of the tests: folders with a `config.yaml`.
    var testNames: [String] {
        ContentFiles.entries(testsDirectory).filter { FileContents.exists("\(testsDirectory)/\($0)/config.yaml") }
    }

    /// The file of an item: by its name in the index, else by its path below the hub or the test (engine facts G.2).
    func file(_ name: String, type: String, test: String) throws(CommandError) -> ItemFile {
        let path: String
        if let known = paths[type]?[name] {
            path = root + "/" + known
        } else {
            let relative = name.hasPrefix("./") ? String(name.dropFirst(2)) : name
            let candidates = [root + "/" + relative, "\(testsDirectory)/\(test)/\(relative)", relative]
            guard let found = candidates.first(where: FileContents.exists) else {
                throw CommandError("\(type) '\(name)' is neither in the index nor a file")
            }
            path = found
        }
        let parts = path.split(separator: "/")
        let isStaged = type == "parsers" || type == "postoverflows"
        guard !isStaged || parts.count >= 3 else { throw CommandError("'\(name)' has no stage in its path") }
        return ItemFile(path: path, stage: isStaged ? String(parts[parts.count - 3]) : "")
    }
}
