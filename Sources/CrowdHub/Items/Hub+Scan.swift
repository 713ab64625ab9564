import CrowdCore
import Glibc

/// Finding what is downloaded and what is installed.
extension Hub {
    /// Folders below a type's folder are entered this deep.
    private static let maxDepth = 5
    private static let maxLinks = 10

    mutating func scanDownloads() {
        for type in ItemType.allCases {
            for (name, item) in items[type] ?? [:] {
                guard let entry = item.entry, FileContents.exists(paths.download(entry)) else { continue }
                items[type]?[name]?.downloadedPath = paths.download(entry)
            }
        }
    }

    mutating func scanInstalled() {
        for type in ItemType.allCases {
            let folder = "\(paths.configDirectory)/\(type.rawValue)"
            let byPath = Dictionary((index.entries[type] ?? [:]).values.map { ($0.path, $0.id.name) }) { first, _ in
                first
            }
            for path in Self.files(in: folder) {
                switch target(of: path) {
                case nil: continue
                case .hub(let relative)?: install(path, relative, byPath, type)
                case .elsewhere?: addLocal(path, below: folder, type)
                }
            }
        }
    }

    private enum Target {
        case hub(String)
        case elsewhere
    }

    /// Where a link leads; nil, with a warning, for one to nowhere.
    ///
    /// A link that passes through the hub's directory is the hub's, even if that is made of links itself: Debian keeps
    /// the folders of types elsewhere.
    private mutating func target(of path: String) -> Target? {
        guard let link = Self.link(path) else { return .elsewhere }
        guard let final = Self.resolved(path) else {
            warnings.append("link target does not exist: \(path) -> \(link)")
            return nil
        }
        let roots = [paths.hubDirectory, Self.resolved(paths.hubDirectory) ?? paths.hubDirectory].map { $0 + "/" }
        for place in Self.hops(from: path) + [final] {
            if let root = roots.first(where: { place.hasPrefix($0) }) {
                return .hub(String(place.dropFirst(root.count)))
            }
        }
        return .elsewhere
    }

    /// The places that a chain of links names one after the other.
    private static func hops(from path: String) -> [String] {
        var hops: [String] = []
        var place = path
        while hops.count < maxLinks, let next = link(place) {
            place = next.hasPrefix("/") ? next : FileContents.directory(of: place) + "/" + next
            hops.append(place)
        }
        return hops
    }

    private mutating func install(_ path: String, _ relative: String, _ byPath: [String: String], _ type: ItemType) {
        guard let name = byPath[relative] else {
            warnings.append("ignoring \(path): it links to a file that the hub's index does not know")
            return
        }
        guard items[type]?[name]?.isLocal == false else { return }
        items[type]?[name]?.installedPath = path
    }

    private mutating func addLocal(_ path: String, below folder: String, _ type: ItemType) {
        let parts = path.dropFirst(folder.count + 1).split(separator: "/")
        guard parts.count > (type.hasStages ? 1 : 0) else {
            warnings.append("ignoring \(path): it is not in the folder of a stage")
            return
        }
        let stage = type.hasStages ? String(parts[0]) : ""
        let name = ItemFile.name(at: path) ?? parts.dropFirst(type.hasStages ? 1 : 0).joined(separator: "/")
        let id = ItemID(type, name)
        if let other = self[id], let installed = other.installedPath {
            let sort = other.isLocal ? "both local" : "a local one and the hub's"
            warnings.append("multiple \(type.rawValue) named \(name): \(path) and \(installed), \(sort)")
            if other.isLocal { return }
        }
        items[type, default: [:]][name] = HubItem(local: id, stage: stage, path: path)
    }

    /// YAML files in and below a folder, in byte order of their paths.
    private static func files(in folder: String, depth: Int = 0) -> [String] {
        guard depth < maxDepth else { return [] }
        return FileContents.entries(folder).flatMap { name -> [String] in
            let path = folder + "/" + name
            if FileContents.isDirectory(path) { return files(in: path, depth: depth + 1) }
            return name.hasSuffix(".yaml") || name.hasSuffix(".yml") ? [path] : []
        }
    }

    /// What a link says; nil for what is no link.
    static func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.bindMemory(to: CChar.self).baseAddress.map { readlink(path, $0, bytes.count) } ?? -1
        }
        return count < 0 ? nil : String(decoding: buffer[..<count], as: UTF8.self)
    }

    /// The real path of an existing file.
    static func resolved(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}
