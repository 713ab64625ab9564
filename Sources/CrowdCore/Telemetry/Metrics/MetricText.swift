/// Prometheus' text format.
enum MetricText {
    /// `{a="1",b="2"}`, or nothing.
    static func labels(_ labels: [Metrics.Label]) -> String {
        guard !labels.isEmpty else { return "" }
        return "{" + labels.map { "\($0.name)=\"\(escaped($0.value))\"" }.joined(separator: ",") + "}"
    }

    static func append(_ name: MetricName, _ family: Metrics.Family, to out: inout [UInt8]) {
        guard let first = family.series.values.first else { return }
        let type =
            switch first.series {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            }
        out.append(contentsOf: "# HELP \(name.rawValue) \(name.help)\n# TYPE \(name.rawValue) \(type)\n".utf8)
        for (labels, entry) in family.series.sorted(by: { $0.key < $1.key }) {
            switch entry.series {
            case .counter(let counter): out.append(contentsOf: "\(name.rawValue)\(labels) \(counter.value)\n".utf8)
            case .gauge(let gauge): out.append(contentsOf: "\(name.rawValue)\(labels) \(number(gauge.value))\n".utf8)
            case .histogram(let histogram): append(histogram, name.rawValue, entry.labels, to: &out)
            }
        }
    }

    private static func append(_ histogram: Histogram, _ name: String, _ own: [Metrics.Label], to out: inout [UInt8]) {
        let values = histogram.values
        var total: UInt64 = 0
        for (index, count) in values.counts.enumerated() {
            total += count
            let bound = index < histogram.bounds.count ? number(histogram.bounds[index]) : "+Inf"
            let all = labels(own + [(name: "le", value: bound)])
            out.append(contentsOf: "\(name)_bucket\(all) \(total)\n".utf8)
        }
        out.append(contentsOf: "\(name)_sum\(labels(own)) \(number(values.sum))\n".utf8)
        out.append(contentsOf: "\(name)_count\(labels(own)) \(total)\n".utf8)
    }

    private static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        if value.isNaN { return "NaN" }
        return value.isInfinite ? (value < 0 ? "-Inf" : "+Inf") : value.description
    }

    private static func escaped(_ value: String) -> String {
        guard value.utf8.contains(where: { $0 == 0x22 || $0 == 0x5C || $0 == 0x0A }) else { return value }
        var out: [UInt8] = []
        for byte in value.utf8 {
            switch byte {
            case 0x0A: out.append(contentsOf: "\\n".utf8)
            case 0x22, 0x5C: out.append(contentsOf: [0x5C, byte])
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
