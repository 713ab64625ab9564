public import CrowdCore

/// `-dump-data`: what happened to every line, in the three files that CrowdSec's tools read.
public struct DumpFiles {
    private let recorder: Recorder

    /// - Parameter recorder: of an engine that has ended.
    public init(_ recorder: Recorder) { self.recorder = recorder }

    /// Writes `parser-dump.yaml`, `bucket-dump.yaml` and `bucketpour-dump.yaml` into a directory, made if need be.
    public func write(to directory: String) throws(ConfigError) {
        try FileContents.makeDirectory(directory)
        try FileContents.replace(directory + "/parser-dump.yaml", with: parsers)
        try FileContents.replace(directory + "/bucket-dump.yaml", with: overflows)
        try FileContents.replace(directory + "/bucketpour-dump.yaml", with: pours)
    }

    /// Stage to node to turns. `idx` is the node's place among those of its stage that had a turn, from 1.
    var parsers: [UInt8] {
        var stages: [String: [String: [Recorder.NodeResult]]] = [:]
        var places: [String: [String: Int]] = [:]
        for result in recorder.results {
            stages[result.stage, default: [:]][result.node, default: []].append(result)
            let place = (places[result.stage]?.count ?? 0) + 1
            if places[result.stage]?[result.node] == nil { places[result.stage, default: [:]][result.node] = place }
        }
        // Readers take the last stage but this one for the one that decides, and tests count it.
        stages["success"] = ["": []]
        var text = DumpText()
        for (stage, nodes) in stages.sorted(by: { isBefore($0.key, $1.key) }) {
            text.key(stage, at: 0)
            text.rest("")
            for (node, turns) in nodes.sorted(by: { isBefore($0.key, $1.key) }) {
                text.key(node, at: 2)
                text.rest(turns.isEmpty ? "[]" : "")
                for turn in turns { add(turn, place: places[stage]?[node] ?? 0, to: &text) }
            }
        }
        return text.take()
    }

    private func add(_ turn: Recorder.NodeResult, place: Int, to text: inout DumpText) {
        text.dash(at: 2)
        text.member("idx", .int(Int64(place)), at: 4)
        text.key("evt", at: 4)
        text.rest("")
        text.object(turn.event, at: 6)
        text.member("success", .bool(turn.succeeded), at: 4)
    }

    /// Overflows with an alert, in order.
    var overflows: [UInt8] { recorder.overflows.isEmpty ? Array("[]\n".utf8) : list(recorder.overflows, at: 0) }

    /// What reached the buckets, under `OK`, and what each scenario took of it, under its name.
    var pours: [UInt8] {
        guard !recorder.pours.isEmpty else { return Array("{}\n".utf8) }
        var text = DumpText()
        var bytes: [UInt8] = []
        for (name, events) in recorder.pours.sorted(by: { isBefore($0.key, $1.key) }) {
            text.key(name, at: 0)
            text.rest("")
            bytes += text.take() + list(events, at: 0)
        }
        return bytes
    }

    private func list(_ events: [EventDump], at indent: Int) -> [UInt8] {
        var text = DumpText()
        for event in events {
            text.dash(at: indent)
            text.object(event, at: indent + 2)
        }
        return text.take()
    }

    /// In order of bytes, as Go sorts.
    private func isBefore(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
}
