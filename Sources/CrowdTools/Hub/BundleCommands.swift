import CrowdCore
import CrowdHub
import Glibc

extension Command {
    /// `cscli hub bundle`: the hub for hosts without network.
    static let hubBundle = Command(
        name: "bundle", summary: "Carry hub items to hosts without network, signed",
        subcommands: [
            Command(
                name: "key", summary: "Make a signing key: FILE (secret) and FILE.pub", argumentsUsage: "FILE",
                arguments: .exactly(1)
            ) { try BundleCommands.key($0) },
            Command(
                name: "create", summary: "Pack installed items, or those named as TYPE:NAME, with all they need",
                argumentsUsage: "FILE [TYPE:NAME]...", arguments: .atLeast(1),
                flags: [.text("key", nil, "file with the secret signing key").required]
            ) { try await BundleCommands.create($0) },
            Command(
                name: "verify", summary: "Check signature and contents", argumentsUsage: "FILE",
                arguments: .exactly(1), flags: [.text("key", nil, "file with the public key").required]
            ) { try BundleCommands.verify($0) },
            Command(
                name: "apply", summary: "Take over the index, upgrade what is installed, install what is named",
                argumentsUsage: "FILE [TYPE:NAME]...", arguments: .atLeast(1),
                flags: [
                    .text("key", nil, "file with the public key").required,
                    .toggle("interactive", "i", "Ask for confirmation before proceeding"),
                    .toggle("dry-run", nil, "Don't install or remove anything; print the execution plan"),
                    .toggle("force", nil, "Overwrite tainted items"),
                ]
            ) { try await BundleCommands.apply($0) },
        ])
}

enum BundleCommands {
    static func key(_ call: Invocation) throws {
        let path = call.words[0]
        guard !FileContents.exists(path) else { throw CommandError("\(path) exists already, not overwriting") }
        guard let key = SigningKey.random(), let publicKey = key.publicKey else {
            throw CommandError("libcrypto cannot make a key")
        }
        try FileContents.replace(path, with: Array((Base64.encode(key.seed) + "\n").utf8), mode: 0o600)
        try FileContents.replace(path + ".pub", with: Array((Base64.encode(publicKey) + "\n").utf8))
        call.print("Secret key written to \(path), public key to \(path).pub")
    }

    static func create(_ call: Invocation) async throws {
        let hub = try call.hub()
        guard let key = SigningKey(seed: try keyBytes(call)) else {
            throw CommandError("\(call.flags.text("key")): not a signing key")
        }
        let named = try ids(call)
        let wanted = named.isEmpty ? hub.installed.filter { !$0.isLocal }.map(\.id) : named
        guard !wanted.isEmpty else { throw CommandError("nothing is installed, and no item is named") }
        // Beside the bundle: where that has room and rights, its data has too.
        let temporary = call.words[0] + ".download"
        defer { unlink(temporary) }
        let bytes = try await HubBundle.create(
            wanted, of: hub, from: try call.hubSource(), key: key, temporary: temporary)
        try FileContents.replace(call.words[0], with: bytes)
        call.print("\(call.words[0]): \(bytes.count) bytes, \(wanted.count) items named")
    }

    static func verify(_ call: Invocation) throws {
        let bundle = try HubBundle.open(call.words[0], key: try keyBytes(call))
        call.print("\(call.words[0]): genuine, \(bundle.fileCount) files")
    }

    static func apply(_ call: Invocation) async throws {
        try PlanSession.checkFlags(call)
        let bundle = try HubBundle.open(call.words[0], key: try keyBytes(call))
        let isDry = call.flags.isOn("dry-run")
        let paths = try call.hubPaths()
        if isDry {
            call.print("(dry run) index of \(call.words[0])")
        } else if try await IndexUpdate.run(paths, source: bundle, withContent: false) {
            call.print("Updated \(paths.indexPath)")
        }
        let hub: Hub
        if isDry, let index = try await bundle.index(withContent: false, known: nil) {
            hub = try Hub(paths, index: try HubIndex(index))
        } else {
            hub = try call.hub()
        }
        var plan = ActionPlan(hub, force: call.flags.isOn("force"))
        for item in hub.installed {
            guard let entry = item.entry else { continue }
            if bundle.has(entry) {
                plan.upgrade(item)
            } else if !item.isUpToDate {
                call.terminal.log(.warning, "\(item.id) is not in the bundle, not upgrading")
            }
        }
        for id in try ids(call) { plan.install(try ItemCommands.item(id.name, id.type, in: hub)) }
        try await PlanSession(call: call, source: bundle).run(plan)
    }

    /// `collections:crowdsecurity/linux`, behind the file's name.
    private static func ids(_ call: Invocation) throws(CommandError) -> [ItemID] {
        var ids: [ItemID] = []
        for word in call.words.dropFirst() {
            let parts = word.split(separator: ":", maxSplits: 1)
            guard parts.count == 2, let type = ItemType(rawValue: String(parts[0])) else {
                throw CommandError("'\(word)' is not of the form TYPE:NAME")
            }
            ids.append(ItemID(type, String(parts[1])))
        }
        return ids
    }

    private static func keyBytes(_ call: Invocation) throws -> [UInt8] {
        let path = call.flags.text("key")
        let text = String(decoding: try FileContents.read(path, limit: 4096), as: UTF8.self)
        guard let key = Base64.decode(text.filter { !$0.isWhitespace }), key.count == 32 else {
            throw CommandError("\(path): not a key: 32 bytes in base64 are expected")
        }
        return key
    }
}
