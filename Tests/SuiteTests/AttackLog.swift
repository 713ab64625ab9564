import CrowdCore
import Glibc

/// What sshd writes while somebody guesses passwords: enough for one alert `crowd/ssh-bf` about each source.
enum AttackLog {
    private static let failures = 8

    static func bruteForce(by source: String) -> String {
        let stamp = stamp()
        return (0..<failures).map {
            "\(stamp) edge01 sshd[\(4000 + $0)]: Failed password for root from \(source) port \(40_000 + $0) ssh2\n"
        }.joined()
    }

    /// One failed login.
    static func failure(of user: String, by source: String) -> String {
        "\(stamp()) edge01 sshd[4000]: Failed password for \(user) from \(source) port 40000 ssh2\n"
    }

    static func append(_ text: String, to path: String) {
        let fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
        defer { close(fd) }
        let bytes = Array(text.utf8)
        _ = write(fd, bytes, bytes.count)
    }

    /// `Nov  1 08:17:29`, from `Sun, 01 Nov 2026 08:17:29 GMT`.
    private static func stamp() -> String {
        let words = Timestamp.now().httpDate.split(separator: " ")
        let day = words[1].hasPrefix("0") ? " " + words[1].dropFirst() : words[1]
        return "\(words[2]) \(day) \(words[4])"
    }
}
