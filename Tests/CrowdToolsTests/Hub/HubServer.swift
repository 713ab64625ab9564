import CrowdCore
import CrowdTestSupport
import Synchronization

/// A hub on loopback in the public layout, with some collections of the reference material and all they need. Data
/// files come from the same server: items are changed to say so, and the index has the digests of what is served.
final class HubServer: Sendable {
    enum Fault: Sendable {
        /// The connection breaks after so many bytes of the body, so many times.
        case breaks(after: Int, times: Int)
        case serves([UInt8])
        case status(Int)
    }

    private struct State {
        var files: [String: [UInt8]] = [:]
        var index: [String: [String: Entry]] = [:]
        var faults: [String: Fault] = [:]
        var url = ""
    }

    private struct Entry {
        var path: String
        var stage: String?
        var versions: [(version: String, digest: String)]
        var dependencies: [(type: String, names: [String])]
    }

    static let types = [
        "parsers", "postoverflows", "scenarios", "contexts", "appsec-configs", "appsec-rules", "collections",
    ]

    private let state: Mutex<State>
    private let server: ScriptedServer
    let url: String
    var template: String { url + "%s/%s" }

    /// - Parameter collections: `crowdsecurity/sshd`
    init(_ collections: [String]) throws {
        let hub = SharedMaterial.path("hub") ?? ""
        let shared = Link()
        server = try ScriptedServer { request in shared.answer?(request) ?? .drop }
        url = server.url
        state = Mutex(State())
        try state.withLock { state in
            state.url = server.url
            for name in collections { try Self.add(name, "collections", hub, &state) }
            state.files["/master/.index.json"] = Self.indexText(state)
        }
        shared.answer = { [weak self] in self?.answer($0) ?? .drop }
    }

    private final class Link: Sendable {
        private let box = Mutex<(@Sendable (ScriptedServer.Request) -> ScriptedServer.Response)?>(nil)
        var answer: (@Sendable (ScriptedServer.Request) -> ScriptedServer.Response)? {
            get { box.withLock { $0 } }
            set { box.withLock { $0 = newValue } }
        }
    }

    // MARK: changing it

    func fail(_ path: String, _ fault: Fault?) { state.withLock { $0.faults[path] = fault } }

    /// A new version of an item, with `text` behind the old one; the index names both.
    func publish(_ type: String, _ name: String, version: String, appending text: String) {
        state.withLock { state in
            guard let entry = state.index[type]?[name], let old = state.files["/master/" + entry.path] else { return }
            let new = old + Array(text.utf8)
            state.files["/master/" + entry.path] = new
            state.index[type]?[name]?.versions.append((version, Hex.encode(Digest.sha256(new))))
            state.files["/master/.index.json"] = Self.indexText(state)
        }
    }

    func put(_ path: String, _ bytes: [UInt8]) { state.withLock { $0.files[path] = bytes } }
    func content(_ path: String) -> [UInt8] { state.withLock { $0.files[path] ?? [] } }
    /// The data files, by their paths.
    var data: [String: [UInt8]] { state.withLock { $0.files.filter { $0.key.hasPrefix("/data/") } } }
    var requests: [ScriptedServer.Request] { server.requests }
    func stop() { server.stop() }

    // MARK: serving

    private func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Response {
        let path = String(request.path.prefix { $0 != "?" })
        return state.withLock { state in
            guard var bytes = state.files[path] else { return .init(404, "not found") }
            var breaksAfter: Int?
            switch state.faults[path] {
            case .breaks(let count, let times)?:
                breaksAfter = count
                state.faults[path] = times > 1 ? .breaks(after: count, times: times - 1) : nil
            case .serves(let other)?: bytes = other
            case .status(let status)?: return .init(status, "on purpose")
            case nil: break
            }
            let tag = "\"\(Hex.encode(Digest.sha256(bytes)))\""
            if request.headers["if-none-match"] == tag { return .init(304) }
            if request.headers["if-modified-since"] != nil { return .init(304) }
            var status = 200
            if let range = request.headers["range"], request.headers["if-range"] == tag,
                let start = Int(range.dropFirst("bytes=".count).dropLast())
            {
                bytes = Array(bytes[min(start, bytes.count)...])
                status = 206
            }
            var response = ScriptedServer.Response(status, bytes: bytes, headers: [("ETag", tag)])
            response.breaksAfter = breaksAfter
            return response
        }
    }

    // MARK: taking items from the reference material

    private static func add(_ name: String, _ type: String, _ hub: String, _ state: inout State) throws {
        guard state.index[type]?[name] == nil else { return }
        guard let path = path(of: name, type, hub), var bytes = SharedMaterial.read(hub + "/" + path) else {
            throw SupportError("\(type):\(name) is not in \(hub)")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        var dependencies: [(type: String, names: [String])] = []
        for document in try YAML.documents(bytes, file: path).compactMap({ $0 }) {
            let yaml = try document.anyMapping()
            for sub in types where type == "collections" {
                if let names = try yaml.strings(sub), !names.isEmpty { dependencies.append((sub, names)) }
            }
            for data in try yaml.present("data")?.sequence() ?? [] {
                guard let source = try data.anyMapping().string("source_url") else { continue }
                state.files["/data/" + source.replacing("https://", with: "")] = Array("# \(source)\n192.0.2.1\n".utf8)
            }
        }
        bytes = Array(text.replacing("source_url: https://", with: "source_url: \(state.url)data/").utf8)
        let parts = path.split(separator: "/")
        state.files["/master/" + path] = bytes
        state.index[type, default: [:]][name] = Entry(
            path: path, stage: parts.count == 4 ? String(parts[1]) : nil,
            versions: [("0.9", Hex.encode(Digest.sha256(bytes)))], dependencies: dependencies)
        for group in dependencies {
            for sub in group.names { try add(sub, group.type, hub, &state) }
        }
    }

    private static func path(of name: String, _ type: String, _ hub: String) -> String? {
        let hasStages = type == "parsers" || type == "postoverflows"
        let folders = hasStages ? FileContents.entries("\(hub)/\(type)").map { "\(type)/\($0)" } : [type]
        let parts = name.split(separator: "/")
        for folder in folders {
            for ending in ["yaml", "yml"] where FileContents.exists("\(hub)/\(folder)/\(name).\(ending)") {
                return "\(folder)/\(name).\(ending)"
            }
            // A few files are called otherwise than what is in them.
            for file in FileContents.entries("\(hub)/\(folder)/\(parts[0])") {
                let path = "\(folder)/\(parts[0])/\(file)"
                let text = String(decoding: SharedMaterial.read("\(hub)/\(path)") ?? [], as: UTF8.self)
                if text.contains("name: \(name)\n") { return path }
            }
        }
        return nil
    }

    private static func indexText(_ state: State) -> [UInt8] {
        let json = JSON.object(
            types.compactMap { type -> JSONMember? in
                guard let entries = state.index[type] else { return nil }
                return JSONMember(
                    type,
                    .object(entries.sorted { $0.key < $1.key }.map { JSONMember($0.key, Self.json($0.value)) }))
            })
        var writer = JSONWriter()
        json.write(to: &writer)
        return writer.bytes
    }

    private static func json(_ entry: Entry) -> JSON {
        var members = [JSONMember("path", .string(entry.path)), JSONMember("author", .string("crowdsecurity"))]
        if let stage = entry.stage { members.append(JSONMember("stage", .string(stage))) }
        members.append(JSONMember("version", .string(entry.versions.last?.version ?? "")))
        members.append(
            JSONMember(
                "versions",
                .object(
                    entry.versions.map {
                        JSONMember(
                            $0.version,
                            .object([JSONMember("digest", .string($0.digest)), JSONMember("deprecated", .bool(false))]))
                    })))
        for group in entry.dependencies {
            members.append(JSONMember(group.type, .array(group.names.map { .string($0) })))
        }
        return .object(members)
    }
}
