import CrowdCore
import Glibc

/// Writing `local_api_credentials.yaml` and its like: readable by its owner only, never half written.
enum CredentialsFile {
    static func yaml(url: String?, login: String, password: String) -> String {
        (url.map { "url: \(quoted($0))\n" } ?? "") + "login: \(quoted(login))\npassword: \(quoted(password))\n"
    }

    static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws(CommandError) {
        // What is no file (a terminal, /dev/null, a pipe) is written to, never replaced.
        var status = stat()
        let isReplaceable = stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
        let temporary = isReplaceable ? path + ".new" : path
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure(path) }
        if isReplaceable { fchmod(descriptor, mode) }
        let bytes = Array(text.utf8)
        let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        fsync(descriptor)
        close(descriptor)
        guard isReplaceable else { return }
        guard written == bytes.count, rename(temporary, path) == 0 else {
            unlink(temporary)
            throw failure(path)
        }
    }

    private static func failure(_ path: String) -> CommandError {
        CommandError("write api credentials in '\(path)' failed: \(String(cString: strerror(errno)))")
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
