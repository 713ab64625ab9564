import CrowdCore
import CrowdStore
import HTTPTypes

/// An alert that is not stored while others of its request are.
struct RefusedAlert: Sendable {
    /// Where it stood in the request.
    var index: Int
    var failure: Failure

    init(index: Int, failure: Failure) {
        self.index = index
        self.failure = failure
    }

    /// What the database says about its own tables stays in our log.
    init(index: Int, _ error: StoreError) {
        self.init(
            index: index,
            failure: .server("validation failure: the database does not take the alert (\(error.label))"))
    }
}

/// How refused alerts are named to who sent them (docs/protocol-extensions.md) and in the log.
enum RefusedAlerts {
    static let field = HTTPField.Name("X-Crowd-Refused")
    /// Alerts that an answer names.
    static let mostNamed = 256
    /// The reasons of one answer together; alerts beyond that are named without one.
    static let reasonBytes = 6 * 1024
    static let longestReason = 300

    /// `[{"index":3,"reason":"..."}]` in ASCII.
    static func header(_ refused: [RefusedAlert]) -> String {
        var writer = JSONWriter()
        var left = reasonBytes
        writer.beginArray()
        for alert in refused.prefix(mostNamed) {
            let reason = text(of: alert)
            writer.beginObject()
            writer.member("index", alert.index)
            if reason.utf8.count <= left { writer.member("reason", reason) }
            writer.endObject()
            left -= reason.utf8.count
        }
        writer.endArray()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    /// One line, of the first few.
    static func logLine(_ refused: [RefusedAlert], from machineID: String) -> String {
        let named = refused.prefix(8).map { " \($0.index)=\"\(text(of: $0))\"" }.joined()
        return
            "Alerts of a request refused, the others are stored. machine=\(machineID) refused=\(refused.count)\(named)"
    }

    /// Senders choose parts of it: one line, no escape sequences, no novels.
    private static func text(of alert: RefusedAlert) -> String {
        let scalars = alert.failure.message.unicodeScalars.prefix(longestReason).map { scalar in
            scalar == "\n" ? " " : (0x20..<0x7F).contains(scalar.value) && scalar != "\"" ? scalar : "?"
        }
        return String(String.UnicodeScalarView(scalars))
    }
}
