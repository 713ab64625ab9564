/// One line of a Prometheus text.
struct MetricSample: Sendable, Equatable {
    var name: String
    var labels: [String: String]
    var value: Double

    /// Reads a whole exposition; lines that are no samples are skipped.
    static func parse(_ text: String) -> [MetricSample] {
        text.split(separator: "\n").compactMap { line in
            line.hasPrefix("#") ? nil : MetricSample(line: line)
        }
    }

    init?(line: Substring) {
        let end = line.lastIndex(of: " ") ?? line.startIndex
        guard end > line.startIndex, let value = Double(line[line.index(after: end)...]) else { return nil }
        let head = line[..<end]
        guard let brace = head.firstIndex(of: "{") else {
            self = MetricSample(name: String(head), labels: [:], value: value)
            return
        }
        self = MetricSample(
            name: String(head[..<brace]), labels: Self.labels(head[head.index(after: brace)...]), value: value)
    }

    init(name: String, labels: [String: String], value: Double) {
        self.name = name
        self.labels = labels
        self.value = value
    }

    private static func labels(_ text: Substring) -> [String: String] {
        var labels: [String: String] = [:]
        var rest = text
        while let equals = rest.firstIndex(of: "=") {
            let name = String(rest[..<equals].drop { $0 == "," || $0 == " " })
            rest = rest[rest.index(after: equals)...].dropFirst()
            var value = ""
            while let character = rest.popFirst(), character != "\"" {
                guard character == "\\", let escaped = rest.popFirst() else {
                    value.append(character)
                    continue
                }
                value.append(escaped == "n" ? "\n" : escaped)
            }
            labels[name] = value
        }
        return labels
    }
}
