import CrowdCore
import CrowdStore

extension Command {
    /// `cscli allowlists`: changes go to the database, questions to the Local API (surface facts A.7).
    static let allowlists = Command(
        name: "allowlists", aliases: ["allowlist"], summary: "Manage centralized allowlists",
        subcommands: [
            Command(
                name: "create", summary: "Create a new allowlist", argumentsUsage: "[allowlist_name]",
                arguments: .exactly(1),
                flags: [Flag.text("description", "d", "description of the allowlist").required]
            ) { try AllowlistEditing.create($0) },
            Command(name: "list", summary: "List all allowlists") { try await AllowlistReports.list($0) },
            Command(
                name: "delete", summary: "Delete an allowlist", argumentsUsage: "[allowlist_name]",
                arguments: .exactly(1), completion: Candidates(AllowlistEditing.names)
            ) { try AllowlistEditing.delete($0) },
            Command(
                name: "add", summary: "Add content to an allowlist", argumentsUsage: "[allowlist_name] [value...]",
                arguments: .atLeast(2),
                flags: [
                    Flag(
                        name: "expiration", short: "e", kind: .duration, fallback: "",
                        help: "expiration duration (ie. 12h, 7d)"),
                    .text("comment", "d", "comment for the value"),
                ], completion: Candidates(AllowlistEditing.names)
            ) { try AllowlistEditing.add($0) },
            Command(
                name: "remove", summary: "remove content from an allowlist",
                argumentsUsage: "[allowlist_name] [value...]", arguments: .atLeast(2),
                completion: Candidates(AllowlistEditing.names)
            ) { try AllowlistEditing.remove($0) },
            Command(
                name: "inspect", summary: "Inspect an allowlist", argumentsUsage: "[allowlist_name]",
                arguments: .exactly(1), completion: Candidates(AllowlistEditing.names)
            ) { try await AllowlistReports.inspect($0) },
            Command(
                name: "check", summary: "Check if a value is in an allowlist", argumentsUsage: "[value...]",
                arguments: .atLeast(1)
            ) { try await AllowlistReports.check($0) },
            Command(
                name: "import", summary: "Import values from a CSV file", argumentsUsage: "[allowlist_name]",
                arguments: .exactly(1),
                flags: [Flag.text("input", "i", "input file (use - for standard input)").required],
                completion: Candidates(AllowlistEditing.names)
            ) { try AllowlistImport.run($0) },
        ])
}

/// What changes an allowlist.
enum AllowlistEditing {
    static func names(_ call: Invocation) throws -> [String] {
        try AllowlistQueries.all(in: try call.database()).map(\.name)
    }

    static func create(_ call: Invocation) throws {
        let (name, database) = (call.words[0], try call.database())
        try NewName.check(name, of: "an allowlist")
        guard try AllowlistQueries.all(in: database).allSatisfy({ $0.name != name }) else {
            throw CommandError("allowlist '\(name)' already exists")
        }
        try AllowlistChanges.create(
            name, description: call.flags.text("description"), at: .now(), in: database)
        call.print("allowlist '\(name)' created successfully")
    }

    static func delete(_ call: Invocation) throws {
        let database = try call.database()
        let list = try editable(call.words[0], in: database, "delete")
        try database.transaction { () throws(StoreError) in try AllowlistChanges.delete(list.id, in: database) }
        call.print("allowlist '\(list.name)' deleted successfully")
    }

    static func add(_ call: Invocation) throws {
        let database = try call.database()
        let list = try editable(call.words[0], in: database, "update")
        let expiresAt = call.flags.duration("expiration").map { Timestamp.now() + $0 }
        let items = call.words.dropFirst().compactMap { value -> AllowlistChanges.NewItem? in
            guard let range = IPRange(unmapping: value) else {
                call.terminal.log(.error, fault(of: value))
                return nil
            }
            return .init(value: value, range: range, comment: call.flags.text("comment"), expiresAt: expiresAt)
        }
        if !items.isEmpty { try store(items, in: list, of: database, call) }
    }

    /// Adds what is new and ends the decisions it forgives.
    static func store(
        _ items: [AllowlistChanges.NewItem], in list: AllowlistRecord, of database: any SQLConnection,
        _ call: Invocation
    ) throws {
        var known = Set(list.items.map(\.value))
        let fresh = items.filter { item in
            if known.insert(item.value).inserted { return true }
            call.terminal.log(.warning, "value \(item.value) already in allowlist")
            return false
        }
        guard !fresh.isEmpty else { return call.print("no new values for allowlist") }
        let now = Timestamp.now()
        let ended = try database.transaction { () throws(StoreError) in
            try AllowlistChanges.add(fresh, to: list.id, at: now, in: database)
            return try AllowlistChanges.expireDecisions(matching: fresh.map(\.range), at: now, in: database)
        }
        call.print("added \(fresh.count) values to allowlist \(list.name)")
        if ended > 0 { call.print("\(ended) decisions deleted by allowlists") }
    }

    static func remove(_ call: Invocation) throws {
        let database = try call.database()
        let list = try editable(call.words[0], in: database, "update")
        let removed = try database.transaction { () throws(StoreError) in
            try AllowlistChanges.remove(Array(call.words.dropFirst()), from: list.id, at: .now(), in: database)
        }
        guard removed > 0 else { return call.print("no value to remove from allowlist") }
        call.terminal.print("removed \(removed) values from allowlist \(list.name)", terminator: "")
    }

    static func editable(_ name: String, in database: any SQLConnection, _ action: String) throws -> AllowlistRecord {
        guard let list = try AllowlistQueries.all(in: database).first(where: { $0.name == name }) else {
            throw CommandError("allowlist '\(name)' not found")
        }
        guard !list.isFromConsole else {
            throw CommandError("allowlist \(name) is managed by console, cannot \(action) with cscli")
        }
        return list
    }

    /// Why a value is neither address nor range, in the reference's words.
    static func fault(of value: String) -> String {
        value.contains("/")
            ? "invalid ip range '\(value)': invalid CIDR address: \(value)" : "invalid ip address '\(value)'"
    }
}
