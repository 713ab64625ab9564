import CrowdCore

/// Takes secrets out of configuration before it leaves the host.
///
/// By the names of keys, and better once too often: what is called a password, a key or a login is gone, whole lists and
/// mappings below such a key too. Comments are gone because the text is written anew.
enum Redaction {
    static let mark = "(redacted)"
    private static let words = ["password", "passwd", "secret", "token", "authorization", "headers", "basic_auth"]
    private static let names: Set<String> = [
        "user", "username", "host", "login", "key", "api_key", "apikey", "webhook", "private_key", "access_key",
        "aws_access_key_id", "sasl_username", "sender_email", "receiver_emails", "smtp_host", "url", "papi_url",
    ]
    /// Names of files and the like, that only sound like secrets.
    private static let harmless: Set<String> = ["key_file", "key_path", "credentials_path", "tls_key"]

    /// Every document of a YAML text; what is no YAML is left out altogether.
    static func yaml(_ bytes: [UInt8], file: String) -> String {
        do {
            let documents = try YAML.documents(bytes, file: file)
            return documents.map { ($0.map { redacted($0) }?.yamlText ?? "") }.joined(separator: "---\n")
        } catch {
            return "# left out, because it cannot be read: \(error)\n"
        }
    }

    static func redacted(_ node: YAMLNode) -> YAMLNode {
        var node = node
        switch node.content {
        case .scalar(let text, let plain):
            node.content = .scalar(text: withoutUser(text), plain: plain)
        case .sequence(let items): node.content = .sequence(items.map { redacted($0) })
        case .mapping(let pairs):
            node.content = .mapping(
                pairs.map { pair in
                    let key = ((try? pair.key.string()) ?? "").lowercased()
                    return (pair.key, isSecret(key, pair.value) ? replacement(pair.value) : redacted(pair.value))
                })
        }
        return node
    }

    private static func isSecret(_ key: String, _ value: YAMLNode) -> Bool {
        if value.isNull || harmless.contains(key) { return false }
        return names.contains(key) || words.contains { key.contains($0) }
    }

    private static func replacement(_ value: YAMLNode) -> YAMLNode {
        YAMLNode(.scalar(text: mark, plain: false), at: value.mark)
    }

    /// `https://name:word@host/` without name and word.
    static func withoutUser(_ text: String) -> String {
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return text }
        let authority = parts[1].prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@") else { return text }
        return "\(parts[0])://\(mark)@\(parts[1][parts[1].index(after: at)...])"
    }
}
