import CrowdCore

/// Writing `local_api_credentials.yaml` and its like: readable by its owner only, never half written.
enum CredentialsFile {
    static func yaml(url: String?, login: String, password: String) -> String {
        (url.map { "url: \(quoted($0))\n" } ?? "") + "login: \(quoted(login))\npassword: \(quoted(password))\n"
    }

    static func write(_ text: String, to path: String) throws(CommandError) {
        do { try FileContents.replace(path, with: Array(text.utf8), mode: 0o600) } catch {
            throw CommandError("write api credentials in '\(path)' failed: \(error)")
        }
    }

    /// Plain where YAML reads it as it is, quoted otherwise.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._/:@".utf8.contains(byte)
            }
        }
        let isNumber = Double(text) != nil
        return isPlain && !isNumber && !text.isEmpty && !text.hasSuffix(":") ? text : JSON.string(text).compact
    }
}

/// Names and passwords for machines that give none.
enum MachineIdentity {
    /// The host's machine-id (32 characters) and 16 random ones.
    static func generatedID() -> String {
        let alphabet: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
        let file = (try? FileContents.read("/etc/machine-id")) ?? []
        let host = String(String(decoding: file, as: UTF8.self).filter { $0.isLetter || $0.isNumber }.prefix(32))
        let prefix = host.count == 32 ? host : SecureRandom.text(32, of: alphabet)
        return prefix + SecureRandom.text(16, of: alphabet)
    }

    static func generatedPassword() -> String {
        SecureRandom.text(64, of: "ABCDEFGHIJKLMNOPQRSTUVWXYabcdefghijklmnopqrstuvwxyz0123456789")
    }
}
