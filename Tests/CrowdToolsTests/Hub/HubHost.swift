import CrowdCore
import CrowdTestSupport

/// A configuration directory of its own, whose hub is a `HubServer`, and the built `cscli` on it.
final class HubHost: Sendable {
    let directory: TemporaryDirectory
    private let server: HubServer
    var path: String { directory.path }
    var config: String { path + "/config.yaml" }

    init(_ server: HubServer) throws {
        directory = try TemporaryDirectory()
        self.server = server
        try directory.write(
            "config.yaml",
            """
            config_paths:
              data_dir: \(path)/data
            crowdsec_service: {acquisition_dir: \(path)/acquis.d}
            cscli:
              __hub_url_template__: \(server.template)
            """)
    }

    @discardableResult
    func cscli(_ line: String, _ expected: Int32 = 0) throws -> String {
        let words = line.split(separator: " ").map(String.init)
        let log = path + "/out.log"
        _ = try directory.write("out.log", "")
        let command = try Command(
            [Command.built("cscli"), "-c", config] + words, log: log,
            environment: ["CROWDSEC_FEATURE_DISABLE_HTTP_RETRY_BACKOFF": "false"])
        let status = command.wait(seconds: 30)
        let output = Command.text(log)
        guard status == expected else { throw SupportError("cscli \(line): \(status) \(output)") }
        return output
    }

    /// Compound status of every item of a type, by name.
    func statuses(_ type: String) throws -> [String: String] {
        let json = try JSON.parse(Array(cscli("\(type) list -o json").utf8))
        return Dictionary(
            (json[type]?.array ?? []).map { ($0["name"]?.string ?? "", $0["status"]?.string ?? "") }
        ) { first, _ in first }
    }

    func read(_ name: String) -> String { Command.text(path + "/" + name) }
    func exists(_ name: String) -> Bool { FileContents.exists(path + "/" + name) }
    /// Every file below a folder, its path and content.
    func tree(_ name: String) -> [String: String] {
        var found: [String: String] = [:]
        for entry in FileContents.entries("\(path)/\(name)") {
            if FileContents.isDirectory("\(path)/\(name)/\(entry)") {
                found.merge(tree("\(name)/\(entry)")) { first, _ in first }
            } else {
                found["\(name)/\(entry)"] = read("\(name)/\(entry)")
            }
        }
        return found
    }
}
