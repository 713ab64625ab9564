import CrowdCore

/// One document of an acquisition file, on its way to a source; what is wrong with it is said in CrowdSec's words:
///
///     FILE: missing labels
///     FILE (position 1): datasource of type docker: while parsing DockerAcquisition configuration: [2:1] unknown field "x"
///     FILE (position 1): datasource of type syslog: invalid port 70000 [5:14]
struct AcquisitionDocument {
    let file: String
    /// Counts the documents of the file; nil where it has one only.
    let position: Int?
    let node: YAMLNode
    /// Which source it is for, once that is known.
    private(set) var kind = ""
    /// Its document does not say so.
    private(set) var isDetected = true

    private static let notBuilt = [
        "kafka", "kinesis", "cloudwatch", "s3", "loki", "victorialogs", "k8s-audit", "wineventlog", "appsec",
    ]
    private static let built = ["file", "journalctl", "syslog", "http", "docker"]

    init(_ node: YAMLNode, file: String, position: Int?) throws(ConfigError) {
        (self.node, self.file, self.position) = (node, file, position)
        do {
            try detectKind()
        } catch {
            throw complete(error)
        }
    }

    private mutating func detectKind() throws(ConfigError) {
        let yaml = try node.anyMapping()
        let kind: String
        if let named = try yaml.string("source"), !named.isEmpty {
            kind = named
            isDetected = false
        } else if yaml["filename"] != nil || yaml["filenames"] != nil {
            kind = "file"
        } else if yaml["journalctl_filter"] != nil {
            kind = "journalctl"
        } else {
            throw ConfigError("missing 'source' field", at: node.mark)
        }
        try Self.check(kind)
        // Docker's labels may be the containers'.
        if kind != "docker", try yaml.present("labels")?.anyMapping().entries.isEmpty ?? true {
            throw ConfigError("missing labels", at: node.mark)
        }
        self.kind = kind
    }

    /// Why this host cannot read such a source; nil when it can.
    func unavailability(_ searchPath: String) -> String? {
        guard kind == "journalctl", !ProgramStart.isFound(kind, in: searchPath) else { return nil }
        return "datasource '\(kind)' is not available: exec: \"\(kind)\": executable file not found in $PATH"
    }

    /// - Throws: when there is no such source here.
    static func check(_ kind: String) throws(ConfigError) {
        if notBuilt.contains(kind) {
            throw ConfigError("data source \(kind) is not built in this version of crowdsec")
        }
        guard built.contains(kind) else { throw ConfigError("unknown data source \(kind)") }
    }

    /// Its place in front, and the source if that is known already.
    func complete(_ error: ConfigError) -> ConfigError {
        var text = file
        if let position { text += " (position \(position))" }
        if !kind.isEmpty { text += ": datasource of type \(kind)" }
        if let sentence = UnfitValue.sentence(error, in: node, reading: reading) {
            return ConfigError("\(text): \(sentence)")
        }
        text += ": \(error.message)"
        if let mark = error.mark, mark != node.mark { text += " [\(mark.line):\(mark.column)]" }
        return ConfigError(text)
    }

    /// What CrowdSec says it was doing.
    private var reading: String {
        switch kind {
        case "file": "cannot parse FileAcquisition configuration:"
        case "docker": "while parsing DockerAcquisition configuration:"
        default: "cannot parse:"
        }
    }

    /// A file that is no YAML, or has a key twice.
    static func complete(_ error: ConfigError, of file: String) -> ConfigError {
        guard let mark = error.mark else { return error }
        let place = "[\(mark.line):\(mark.column)]"
        guard error.message.hasPrefix("mapping key") else { return ConfigError("\(file): \(place) \(error.message)") }
        // Keys of one mapping stand below each other.
        let words = error.message.split(separator: " ")
        let first = words.last.flatMap { Int($0) }.map { "[\($0):\(mark.column)]" }
        let message = first.map { words.dropLast(2).joined(separator: " ") + " \($0)" } ?? error.message
        return ConfigError("\(file): position \(position(of: mark)): \(place) \(message)")
    }

    private static func position(of mark: SourceMark) -> Int {
        let text = (try? FileContents.read(mark.file)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(max(mark.line - 1, 0))
        let said = lines.drop { $0.isEmpty || $0.hasPrefix("#") || $0.hasPrefix("---") }
        return said.filter { $0.hasPrefix("---") }.count
    }
}

extension YAMLNode {
    /// The keys of a source, all of which are known.
    ///
    /// - Parameter reading: what CrowdSec says it was doing when it met an unknown one.
    func sourceMapping(
        type: String, known: [String], reading: String = "cannot parse:"
    ) throws(ConfigError) -> YAMLMapping {
        if let stranger = try anyMapping(type: type).entries.first(where: { !known.contains($0.key) }) {
            let place = "[\(stranger.mark.line):\(stranger.mark.column)]"
            throw ConfigError("\(reading) \(place) unknown field \"\(stranger.key)\"", at: mark)
        }
        return try mapping(type: type, known: known)
    }
}
