import CrowdCore
import CrowdStore

extension Command {
    /// `cscli bouncers`: works on the database (surface facts A.5).
    static let bouncers = Command(
        name: "bouncers", aliases: ["bouncer"], summary: "Manage bouncers [requires local API]",
        subcommands: [
            Command(
                name: "add", summary: "add a single bouncer to the database", argumentsUsage: "NAME",
                arguments: .exactly(1), flags: [.text("key", "k", "api key for the bouncer")]
            ) { try BouncerCommands.add($0) },
            Command(
                name: "delete", aliases: ["remove"], summary: "delete bouncer(s) from the database",
                argumentsUsage: "NAME...", arguments: .atLeast(1),
                flags: [.toggle("ignore-missing", nil, "don't print errors if one or more bouncers don't exist")],
                completion: Candidates(BouncerCommands.names)
            ) { try BouncerCommands.delete($0) },
            Command(name: "list", summary: "list all bouncers within the database") { try BouncerReports.list($0) },
            Command(
                name: "inspect", summary: "inspect a bouncer by name", argumentsUsage: "[bouncer_name]",
                arguments: .exactly(1), completion: Candidates(BouncerCommands.names)
            ) { try BouncerReports.inspect($0) },
            Command(
                name: "prune", summary: "prune multiple bouncers from the database",
                flags: [
                    .duration("duration", "d", "duration of time since last pull", default: "60m"),
                    .toggle("force", nil, "force prune without asking for confirmation"),
                ]
            ) { try BouncerReports.prune($0) },
        ])
}

enum BouncerCommands {
    static func names(_ call: Invocation) throws -> [String] {
        try BouncerQueries.all(in: try call.database()).map(\.name)
    }

    static func add(_ call: Invocation) throws {
        let name = call.words[0]
        try NewName.check(name, of: "a bouncer")
        let key = call.flags.nonEmpty("key") ?? Base64.encode(SecureRandom.bytes(32), padded: false)
        let database = try call.database()
        guard try BouncerQueries.find(name, in: database) == nil else {
            throw CommandError("unable to create bouncer: bouncer \(name) already exists")
        }
        let bouncer = BouncerRecord(name: name, keyHash: BouncerRecord.hash(ofKey: key))
        _ = try BouncerQueries.insert(bouncer, at: .now(), in: database)
        switch call.output {
        case .human:
            call.print(
                "API key for '\(name)':\n\n   \(key)\n\nPlease keep this key since you will not be able to retrieve it!"
            )
        case .raw: call.terminal.print(key, terminator: "")
        case .json: call.terminal.print(JSON.string(key).compact, terminator: "")
        }
    }

    static func delete(_ call: Invocation) throws {
        let database = try call.database()
        for name in call.words { try delete(name, from: database, call) }
    }

    private static func delete(_ name: String, from database: any SQLConnection, _ call: Invocation) throws {
        guard let bouncer = try BouncerQueries.find(name, in: database) else {
            if call.flags.isOn("ignore-missing") { return }
            throw CommandError("unable to delete bouncer \(name): ent: bouncer not found")
        }
        if bouncer.authType == "api-key" && bouncer.isAutoCreated {
            return call.terminal.log(
                .warning,
                "bouncer '\(name)' is auto-created and cannot be deleted, delete its parent instead")
        }
        var doomed = [bouncer]
        if bouncer.authType == "api-key" {
            doomed += try BouncerQueries.all(in: database).filter {
                $0.isAutoCreated && $0.keyHash == bouncer.keyHash && $0.name.hasPrefix("\(name)@")
            }
        }
        try database.transaction { () throws(StoreError) in
            for bouncer in doomed { try BouncerQueries.delete(id: bouncer.id, in: database) }
        }
        call.info("bouncer '\(name)' deleted successfully")
    }
}

extension ClientSystem {
    /// `name/version`, `?` where unknown.
    var text: String {
        osName.isEmpty && osVersion.isEmpty ? "?" : "\(osName)/\(osVersion)"
    }
    var flags: [String] { featureFlags.split(separator: ",").map { String($0) } }
}
