import CrowdCore
import CrowdStore

/// Allowlists, read only (protocol facts A.10). They are changed in the database by `cscli`.
extension LocalAPI {
    func listAllowlists(_ call: Call) async throws -> Reply {
        let withContent = try Self.withContent(call)
        let lists = try await currentAllowlists().lists
        return .json { writer in
            writer.beginArray()
            for list in lists { list.write(to: &writer, withContent: withContent, now: call.now) }
            writer.endArray()
        }
    }

    func showAllowlist(_ call: Call) async throws -> Reply {
        let name = call.parameters["allowlist_name"] ?? ""
        let withContent = try Self.withContent(call)
        guard let list = try await currentAllowlists().lists.first(where: { $0.name == name }) else {
            throw Failure.server("allowlist '\(name)' not found")
        }
        return .json { list.write(to: &$0, withContent: withContent, now: call.now) }
    }

    func checkAllowlist(_ call: Call) async throws -> Reply {
        let text = call.parameters["ip_or_range"] ?? ""
        let reasons = try Self.reasons(for: text, in: try await currentAllowlists(), call)
        if call.isHead { return .empty(reasons.isEmpty ? 204 : 200) }
        return .json { writer in
            writer.beginObject()
            if !reasons.isEmpty {
                writer.member("allowlisted", true)
                writer.member("reason", reasons.joined(separator: ", "))
            }
            writer.endObject()
        }
    }

    func checkAllowlists(_ call: Call) async throws -> Reply {
        let json = try await BackgroundWork.run(on: call.body) { try Failure.json($0) }
        let targets = json["targets"]?.array?.compactMap(\.string) ?? []
        guard !targets.isEmpty else { throw Failure.badRequest("targets list cannot be empty") }
        let matcher = try await currentAllowlists()
        var matching: [(target: String, reasons: [String])] = []
        for target in targets {
            let reasons = try Self.reasons(for: target, in: matcher, call)
            if !reasons.isEmpty { matching.append((target, reasons)) }
        }
        return .json { writer in
            writer.beginObject()
            writer.key("results")
            writer.beginArray()
            for (target, reasons) in matching {
                writer.beginObject()
                writer.member("target", target)
                writer.member("allowlists", reasons)
                writer.endObject()
            }
            writer.endArray()
            writer.endObject()
        }
    }

    private static func reasons(for text: String, in matcher: AllowlistMatcher, _ call: Call) throws(Failure)
        -> [String]
    {
        guard let range = IPRange(unmapping: text) else { throw .server("invalid ip address '\(text)'") }
        return matcher.reasons(for: range, now: call.now)
    }

    private static func withContent(_ call: Call) throws(Failure) -> Bool {
        guard let text = call.query["with_content"] else { return false }
        guard let bool = GoValue.bool(text) else { throw .server("invalid with_content value: \(text)") }
        return bool
    }
}

extension AllowlistRecord {
    fileprivate func write(to writer: inout JSONWriter, withContent: Bool, now: Timestamp) {
        writer.beginObject()
        if !allowlistID.isEmpty { writer.member("allowlist_id", allowlistID) }
        if isFromConsole { writer.member("console_managed", true) }
        writer.member("created_at", createdAt.rfc3339Milliseconds)
        if !description.isEmpty { writer.member("description", description) }
        writer.key("items")
        writer.beginArray()
        let current = withContent ? items.filter { $0.expiresAt.map { $0 > now } ?? true } : []
        for item in current {
            writer.beginObject()
            writer.member("created_at", item.createdAt.rfc3339Milliseconds)
            if !item.comment.isEmpty { writer.member("description", item.comment) }
            writer.member("expiration", item.expiresAt?.rfc3339Milliseconds ?? "0001-01-01T00:00:00.000Z")
            writer.member("value", item.value)
            writer.endObject()
        }
        writer.endArray()
        writer.member("name", name)
        writer.member("updated_at", updatedAt.rfc3339Milliseconds)
        writer.endObject()
    }
}
