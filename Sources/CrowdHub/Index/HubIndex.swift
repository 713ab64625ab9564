import CrowdCore

/// `.index.json`: every item that the hub has (engine facts H.1). Unknown keys are ignored.
///
/// A refused index is refused whole: half a hub would look like a hub from which items have gone.
public struct HubIndex: Sendable {
    public private(set) var entries: [ItemType: [String: IndexEntry]] = [:]
    /// What is odd about it and can be lived with: a latest version without digest.
    public private(set) var warnings: [String] = []

    /// Longest index read.
    public static let maxBytes = 256 << 20

    public init() {}

    public init(_ bytes: [UInt8]) throws(HubError) {
        do {
            entries = try bytes.withUnsafeBufferPointer { buffer in
                var parser = IndexParser(buffer)
                return try parser.index()
            }
        } catch let error as HubError {
            throw error
        } catch {
            throw .unreadableIndex("failed to parse index: \(error)")
        }
        for entry in ItemType.allCases.flatMap({ (entries[$0] ?? [:]).values }) where entry.latestDigest == nil {
            warnings.append("\(entry.id): no digest for the latest version \(entry.version)")
        }
        warnings.sort()
    }

    public static func read(_ path: String) throws(HubError) -> HubIndex {
        let bytes: [UInt8]
        do { bytes = try FileContents.read(path, limit: maxBytes) } catch {
            throw .unreadableIndex("unable to read index file: \(error)")
        }
        return try HubIndex(bytes)
    }
}

/// Reads the index in one pass; contents stay as base64, long descriptions are skipped.
private struct IndexParser {
    private var reader: JSONReader

    init(_ bytes: UnsafeBufferPointer<UInt8>) { reader = JSONReader(bytes) }

    mutating func index() throws -> [ItemType: [String: IndexEntry]] {
        var entries: [ItemType: [String: IndexEntry]] = [:]
        try reader.beginObject()
        while let key = try reader.nextKey()?.string {
            guard let type = ItemType(rawValue: key) else {
                try reader.skip()
                continue
            }
            if try reader.null() { continue }
            entries[type] = try items(type)
        }
        try reader.finish()
        return entries
    }

    private mutating func items(_ type: ItemType) throws -> [String: IndexEntry] {
        var items: [String: IndexEntry] = [:]
        try reader.beginObject()
        while let name = try reader.nextKey()?.string {
            let id = ItemID(type, name)
            if try reader.null() { throw HubError.invalidIndex(id, lacks: "index metadata") }
            let entry = try entry(id)
            if entry.path.isEmpty { throw HubError.invalidIndex(id, lacks: "download path") }
            guard FilePath.isInside(entry.path) else {
                throw HubError.unreadableIndex("\(id): path '\(entry.path)' is not inside the hub")
            }
            if type.hasStages && entry.stage.isEmpty { throw HubError.invalidIndex(id, lacks: "stage") }
            items[name] = entry
        }
        return items
    }

    private mutating func entry(_ id: ItemID) throws -> IndexEntry {
        var entry = IndexEntry(id)
        try reader.beginObject()
        while let key = try reader.nextKey()?.string {
            switch key {
            case "path": entry.path = try reader.optionalString() ?? ""
            case "stage": entry.stage = try reader.optionalString() ?? ""
            case "version": entry.version = try reader.optionalString() ?? ""
            case "versions": entry.digests = try digests()
            case "content": entry.content = try reader.optionalString()
            case "description": entry.description = try reader.optionalString() ?? ""
            case "author": entry.author = try reader.optionalString() ?? ""
            case "labels": entry.labels = try JSON(from: &reader)
            case "references": entry.references = try strings()
            default:
                if let type = ItemType(rawValue: key) {
                    entry.dependencies[type] = try strings()
                } else {
                    try reader.skip()
                }
            }
        }
        return entry
    }

    private mutating func digests() throws -> [String: String] {
        var digests: [String: String] = [:]
        if try reader.null() { return digests }
        try reader.beginObject()
        while let version = try reader.nextKey()?.string {
            try reader.beginObject()
            while let key = try reader.nextKey()?.string {
                if key == "digest" {
                    digests[version] = try reader.optionalString()?.lowercased()
                } else {
                    try reader.skip()
                }
            }
        }
        return digests
    }

    private mutating func strings() throws -> [String] {
        if try reader.null() { return [] }
        var strings: [String] = []
        try reader.beginArray()
        while try reader.nextElement() { strings.append(try reader.string()) }
        return strings
    }
}

/// Paths that come from outside.
enum FilePath {
    /// A relative path that names something below where it starts.
    static func isInside(_ path: String) -> Bool {
        guard !path.isEmpty, !path.hasPrefix("/"), !path.utf8.contains(0) else { return false }
        return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
            $0 != ".." && $0 != "." && !$0.isEmpty
        }
    }
}
