public import CrowdCore
public import CrowdExpr
public import CrowdText
import Synchronization

/// The data files that loaded items name, and the stashes: what helper functions look into (engine facts B.9).
///
/// Files are read while content is loaded and immutable afterwards, so expressions read them without a lock.
public final class DataFiles: ExprResources, @unchecked Sendable {
    // Sendable: `load` is called by the loading thread only, before any worker runs; stashes lock for themselves.
    private let resolve: @Sendable (DataFileConfig) -> String
    private var texts: [String: ListValue] = [:]
    private var patterns: [String: PatternSet] = [:]
    private var maps: [String: LookUpTable] = [:]
    private var bots: [String: KnownBots] = [:]
    private let names: ConfirmedNames
    public let web: (any WebAccess)?
    public let reputations: Reputations?
    /// Where each file of no type (a database) lies, by its name.
    private(set) var databases: [String: String] = [:]
    /// The first of each kind that an item names.
    var geo = GeoLookups()
    public let stashes = Stashes()
    private let reportedOnce = Mutex<Set<String>>([])
    private let reporter: @Sendable (String) -> Void

    /// The longest line accepted: a longer one ends the load of its file with an error.
    static let maxLine = 64 * 1024

    /// - Parameters:
    ///   - resolve: where a data file lies.
    ///   - outside: what expressions may ask of other hosts.
    ///   - report: receives what an expression did wrong, each text once.
    init(
        resolve: @escaping @Sendable (DataFileConfig) -> String, outside: OutsideWorld = OutsideWorld(),
        report: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.resolve = resolve
        names = outside.confirmedNames
        web = outside.web
        reputations = outside.reputations
        reporter = report
    }

    /// Reads one file; errors are for the log, never fatal.
    func load(_ file: DataFileConfig) -> ConfigError? {
        guard !file.type.isEmpty else {
            databases[file.destination] = resolve(file)
            return nil
        }
        guard !file.destination.isEmpty, !file.destination.split(separator: "/").contains("..") else {
            return ConfigError("dest_file '\(file.destination)' is not inside the data directory", at: file.mark)
        }
        do {
            switch file.type {
            case "string": if texts[file.destination] == nil { try loadTexts(file) }
            case "regexp", "regex": if patterns[file.destination] == nil { try loadPatterns(file) }
            case "map": if maps[file.destination] == nil { try loadMap(file) }
            case "bots": if bots[file.destination] == nil { return try loadBots(file) }
            default: return ConfigError("unknown data type '\(file.type)' for '\(file.destination)'", at: file.mark)
            }
            return nil
        } catch let error as ConfigError {
            return error
        } catch {
            return ConfigError("\(file.destination): \(error)", at: file.mark)
        }
    }

    private func lines(_ file: DataFileConfig) throws(ConfigError) -> [String] {
        let bytes = try FileContents.read(resolve(file), limit: 256 * 1024 * 1024)
        var lines: [String] = []
        for (number, line) in bytes.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            guard line.count <= DataFiles.maxLine else {
                throw ConfigError("token too long", at: SourceMark(file: resolve(file), line: number + 1, column: 1))
            }
            let text = line.last == 13 ? line.dropLast() : line
            guard let first = text.first, first != UInt8(ascii: "#") else { continue }
            lines.append(String(decoding: text, as: UTF8.self))
        }
        return lines
    }

    private func loadTexts(_ file: DataFileConfig) throws(ConfigError) {
        texts[file.destination] = ListValue(try lines(file).map { .string(Immortal.copy($0)) })
    }

    private func loadPatterns(_ file: DataFileConfig) throws {
        patterns[file.destination] = try PatternSet(lines(file))
    }

    private func loadMap(_ file: DataFileConfig) throws {
        maps[file.destination] = try LookUpTable(lines(file))
    }

    /// Lines that are wrong cost themselves.
    private func loadBots(_ file: DataFileConfig) throws(ConfigError) -> ConfigError? {
        let loaded = KnownBots(try lines(file))
        bots[file.destination] = loaded
        guard let first = loaded.problems.first else { return nil }
        let more = loaded.problems.count > 1 ? " (and \(loaded.problems.count - 1) more)" : ""
        return ConfigError("\(file.destination): \(first)\(more)", at: file.mark)
    }

    // MARK: ExprResources

    public func lines(of file: String) -> ListValue? { texts[file] }
    public func patterns(of file: String) -> PatternSet? { patterns[file] }
    public func rows(of file: String) -> ListValue? { maps[file]?.rows }
    public func lookUp(_ subject: ByteSlice, in file: String) -> ByteSlice? { maps[file]?.tag(for: subject) }
    public func stashed(_ key: ByteSlice, in stash: String, arena: Arena) -> ByteSlice? {
        stashes.find(key, in: stash, now: Timestamp.now(), arena: arena)
    }
    public func isKnownBot(
        _ address: IPAddress, _ userAgent: ByteSlice, path: ByteSlice, in file: String
    ) -> Bool? {
        bots[file]?.includes(address, userAgent, path: path) { names.find($0) }
    }
    public func addresses(of host: String) -> [String] { HostAddresses.find(host) }
    public func geography(_ part: GeoPart, of address: IPAddress, arena: Arena) -> Value {
        geo.value(part, of: address, arena: arena)
    }

    public func report(_ message: String) {
        let isNew = reportedOnce.withLock { $0.count < 1_000 && $0.insert(message).inserted }
        if isNew { reporter(message) }
    }
}

/// A `type: map` file: JSON rows with `pattern`, `tag` and `type` (engine facts D.5, LookupFile).
final class LookUpTable {
    let rows: ListValue
    private var equals: [ByteSlice: ByteSlice] = [:]
    private var substrings: [(pattern: ByteSlice, tag: ByteSlice)] = []
    private var patterns: [(pattern: GoPattern, tag: ByteSlice)] = []
    private let arena = Arena(chunkSize: 64 * 1024)
    /// Whether any of the substrings occurs, in one pass; nil when there are too many.
    private var anySubstring: NeedleAutomaton?

    init(_ lines: [String]) throws {
        var values: [Value] = []
        for line in lines {
            let row = try ValueJSON.parse(arena.copy(line), arena: arena)
            values.append(row)
            guard case .map(let map) = row, case .string(let pattern)? = map.find(ByteSlice("pattern")),
                case .string(let tag)? = map.find(ByteSlice("tag"))
            else { continue }
            var type = "equals"
            if case .string(let text)? = map.find(ByteSlice("type")) { type = String(text) }
            switch type {
            case "equals": equals[pattern] = tag
            case "contains": substrings.append((pattern, tag))
            case "regex", "regexp": patterns.append((try GoPattern(String(pattern)), tag))
            default: break
            }
        }
        rows = ListValue(values)
        let texts = substrings.map(\.pattern)
        var trie = NeedleTrie()
        if !texts.isEmpty, !texts.contains(where: \.isEmpty), trie.add(texts, number: 0) {
            anySubstring = trie.automaton()
        }
    }

    /// Equal rows first, then the leftmost substring, then patterns in order.
    func tag(for subject: ByteSlice) -> ByteSlice {
        if let tag = equals[subject] { return tag }
        return substring(of: subject) ?? patterns.first { $0.pattern.matches(subject) }?.tag ?? .empty
    }

    private func substring(of subject: ByteSlice) -> ByteSlice? {
        if let anySubstring {
            var found: UInt64 = 0
            _ = anySubstring.search(subject, into: &found)
            guard found != 0 else { return nil }
        }
        var best: (at: Int, tag: ByteSlice)?
        for row in substrings {
            if let at = subject.find(row.pattern), at < best?.at ?? .max { best = (at, row.tag) }
        }
        return best?.tag
    }
}
