public import CrowdCore

/// A signed archive that carries a part of the hub to a host without network: index, items, data files.
///
/// (1) `MANIFEST` names every other file with its SHA-256; `MANIFEST.sig` is the signature of its bytes.
/// (2) A bundle is used only when the signature is genuine, and the archive holds those files and no others.
public enum HubBundle {
    static let manifest = "MANIFEST"
    static let signature = "MANIFEST.sig"

    /// Packs items with all that they need, and their data files, in the latest version.
    ///
    /// - Parameter temporary: where data files lie on their way, one after the other.
    public static func create(
        _ ids: [ItemID], of hub: Hub, from source: any HubSource, key: SigningKey, temporary: String
    ) async throws(HubError) -> [UInt8] {
        var files: [String: [UInt8]] = [".index.json": try read(hub.paths.indexPath)]
        for entry in try closure(ids, hub) {
            let bytes = try await PlanRun.latest(entry, from: source)
            files[entry.path] = bytes
            let data: [ItemData]
            do { data = try ItemFile.data(in: bytes, file: entry.path) } catch {
                throw .badItem(entry.id, error.description)
            }
            for file in data {
                guard let path = FolderHub.dataPath(file.sourceURL) else {
                    throw .badItem(entry.id, "'\(file.sourceURL)' cannot be kept in a bundle")
                }
                guard files[path] == nil else { continue }
                _ = try await source.data(file.sourceURL, since: nil, to: temporary) { _ in }
                files[path] = try read(temporary)
            }
        }
        return try pack(files, key)
    }

    private static func closure(_ ids: [ItemID], _ hub: Hub) throws(HubError) -> [IndexEntry] {
        var entries: [ItemID: IndexEntry] = [:]
        var waiting = ids
        while let id = waiting.popLast() {
            guard entries[id] == nil else { continue }
            guard let item = hub[id] else { throw .refused("can't find '\(id.name)' in \(id.type.rawValue)") }
            guard let entry = item.entry else { continue }
            entries[id] = entry
            waiting += entry.dependencies.all
        }
        return entries.values.sorted { $0.path < $1.path }
    }

    static func pack(_ files: [String: [UInt8]], _ key: SigningKey) throws(HubError) -> [UInt8] {
        let lines = files.sorted { $0.key < $1.key }.map { "\(Hex.encode(Digest.sha256($0.value)))  \($0.key)\n" }
        let manifest = Array(lines.joined().utf8)
        guard let signature = key.sign(manifest) else { throw .refused("libcrypto cannot sign") }
        var writer = TarWriter()
        try writer.add(Self.manifest, manifest)
        try writer.add(Self.signature, Array((Base64.encode(signature) + "\n").utf8))
        for (path, bytes) in files.sorted(by: { $0.key < $1.key }) { try writer.add(path, bytes) }
        let bytes = writer.finished()
        return Gzip.compress(bytes) ?? bytes
    }

    /// The bundle at `path` as a source of items.
    ///
    /// - Throws: when the signature is not that of `key`, or the files are not those that were signed.
    public static func open(_ path: String, key: [UInt8]) throws(HubError) -> ArchiveHub {
        let archive = try ArchiveHub(path)
        guard let manifest = archive.files[manifest], let text = archive.files[signature] else {
            throw .refused("\(path): not a bundle: no \(Self.manifest) in it")
        }
        let encoded = String(decoding: text, as: UTF8.self).filter { !$0.isWhitespace }
        guard let signature = Base64.decode(encoded), SigningKey.isGenuine(signature, of: Array(manifest), by: key)
        else { throw .refused("\(path): the signature is not genuine") }
        var left = Set(archive.files.keys).subtracting([Self.manifest, Self.signature])
        for line in String(decoding: manifest, as: UTF8.self).split(separator: "\n") {
            let name = String(line.dropFirst(66))
            guard left.remove(name) != nil, let bytes = archive.files[name],
                Hex.encode(Digest.sha256(bytes)) == line.prefix(64)
            else { throw .refused("\(path): \(name) is missing or not what was signed") }
        }
        if let extra = left.min() { throw .refused("\(path): \(extra) was not signed") }
        return archive
    }

    private static func read(_ path: String) throws(HubError) -> [UInt8] {
        do { return try FileContents.read(path, limit: 1 << 30) } catch { throw HubError(error) }
    }
}

extension ArchiveHub {
    /// Whether an item's file is in it.
    public func has(_ entry: IndexEntry) -> Bool { files[entry.path] != nil }
    public var fileCount: Int { files.count }
}
