internal import Synchronization

/// The metrics of one process: made by the program, passed along, no global.
///
/// Asking for a name and labels that exist already gives the same handle. Handles are meant to be resolved at load.
public final class Metrics: Sendable {
    public typealias Label = (name: String, value: String)

    enum Series: Sendable {
        case counter(Counter)
        case gauge(Gauge)
        case histogram(Histogram)
    }

    struct Family {
        /// Keyed by the labels as they are exposed: `{a="1",b="2"}` or empty.
        var series: [String: (labels: [Label], series: Series)] = [:]
    }

    private struct State {
        var families: [MetricName: Family] = [:]
        var hooks: [@Sendable (Metrics) -> Void] = []
    }

    public let level: PrometheusConfig.Level
    private let state = Mutex(State())

    /// - Parameter level: what `exposition` shows; counting goes on in any case.
    public init(level: PrometheusConfig.Level = .full) { self.level = level }

    public func counter(_ name: MetricName, _ labels: [(String, String)] = []) -> Counter {
        let series = resolve(name, labels) { .counter(Counter()) }
        guard case .counter(let counter) = series else { return Counter() }
        return counter
    }

    public func gauge(_ name: MetricName, _ labels: [(String, String)] = []) -> Gauge {
        let series = resolve(name, labels) { .gauge(Gauge()) }
        guard case .gauge(let gauge) = series else { return Gauge() }
        return gauge
    }

    /// - Parameter bounds: upper bounds, ascending; those of the first call for a name and labels count.
    public func histogram(_ name: MetricName, _ labels: [(String, String)] = [], bounds: [Double]) -> Histogram {
        let series = resolve(name, labels) { .histogram(Histogram(bounds: bounds)) }
        guard case .histogram(let histogram) = series else { return Histogram(bounds: bounds) }
        return histogram
    }

    /// Replaces all gauges of a name: series that are not in `values` disappear.
    public func replaceGauges(_ name: MetricName, with values: [(labels: [(String, String)], value: Double)]) {
        var family = Family()
        for entry in values {
            let labels = entry.labels.map { Label(name: $0.0, value: $0.1) }
            let gauge = Gauge()
            gauge.set(entry.value)
            family.series[MetricText.labels(labels)] = (labels, .gauge(gauge))
        }
        state.withLock { [family] in $0.families[name] = family }
    }

    /// Called at the start of each scrape, to recompute gauges; on the scraping thread.
    public func onScrape(_ hook: @escaping @Sendable (Metrics) -> Void) { state.withLock { $0.hooks.append(hook) } }

    /// Current counter and gauge values of a name, for usage metrics.
    public func samples(_ name: MetricName) -> [(labels: [Label], value: Double)] {
        (family(name)?.series.values ?? [:].values).compactMap { entry in
            switch entry.series {
            case .counter(let counter): (entry.labels, Double(counter.value))
            case .gauge(let gauge): (entry.labels, gauge.value)
            case .histogram: nil
            }
        }
    }

    /// Prometheus text format, names and series sorted.
    public func exposition() -> [UInt8] {
        for hook in state.withLock({ $0.hooks }) { hook(self) }
        guard level != .none else { return [] }
        let families = state.withLock { $0.families }
        var out: [UInt8] = []
        for (name, family) in families.sorted(by: { $0.key.rawValue < $1.key.rawValue })
        where level == .full || !name.isDetailed {
            MetricText.append(name, family, to: &out)
        }
        return out
    }

    private func family(_ name: MetricName) -> Family? { state.withLock { $0.families[name] } }

    private func resolve(_ name: MetricName, _ pairs: [(String, String)], _ make: () -> Series) -> Series {
        let labels = pairs.map { Label(name: $0.0, value: $0.1) }
        let key = MetricText.labels(labels)
        return state.withLock { state in
            if let known = state.families[name]?.series[key] { return known.series }
            let series = make()
            state.families[name, default: Family()].series[key] = (labels, series)
            return series
        }
    }
}
