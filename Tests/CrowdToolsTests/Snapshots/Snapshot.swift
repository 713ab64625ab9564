import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

/// Text that people can review, kept in `Tests/Fixtures/cscli`. With `CROWD_RECORD=1` the files are written instead of
/// compared.
enum Snapshot {
    static func expect(_ text: String, _ name: String, _ place: SourceLocation = #_sourceLocation) throws {
        let path = "\(SharedMaterial.packageRoot)/Tests/Fixtures/cscli/\(name).txt"
        if getenv("CROWD_RECORD") != nil {
            try FileContents.replace(path, with: Array(text.utf8))
            return
        }
        let known = CrowdTestSupport.Command.text(path)
        guard text != known else { return }
        let lines = (text.split(separator: "\n"), known.split(separator: "\n"))
        let first = zip(lines.0, lines.1).first { $0 != $1 }.map { "got '\($0)', recorded '\($1)'" } ?? "another length"
        Issue.record("\(path): \(first)", sourceLocation: place)
    }

    /// Times, durations and random values at their own width, so that tables stay as they are.
    static func normalized(_ text: String, _ directory: String) -> String {
        var text = text.replacing(directory, with: "/DIRECTORY")
        text.replace(#/\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?/#) { match in
            // Milliseconds are always written; a finer fraction has as many digits as it needs.
            let fraction = match.output.2.map { $0.count == 4 ? ".000" : "" } ?? ""
            return "0000-00-00\(match.output.1)00:00:00\(fraction)"
        }
        text.replace(#/(?:\d+h)?\d+m\d+(?:\.\d+)?s/#) { String(repeating: "0", count: $0.output.count - 1) + "s" }
        text.replace(#/"duration": "[^"]+"/#, with: "\"duration\": \"0s\"")
        text.replace(
            #/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/#,
            with: "00000000-0000-0000-0000-000000000000")
        return text
    }
}
