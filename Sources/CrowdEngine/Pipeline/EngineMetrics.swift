public import CrowdCore

/// Publishes a worker's counts under CrowdSec's names, labelled with the origin of the lines that moved them.
///
/// Counts are plain integers while lines pass; after each batch the differences are added to counters that were looked
/// up once per origin. A worker handles one origin's batch at a time, so a difference belongs to it.
public final class EngineMetrics {
    private struct Handles {
        var parserHits: Counter
        var parserOK: Counter
        var parserKO: Counter
        var nodes: [Int: NodeHandles] = [:]
        var poured: [Int: Counter] = [:]
    }

    private struct NodeHandles {
        var hits: Counter
        var ok: Counter
        var ko: Counter
    }

    private let metrics: Metrics
    private let content: Content
    private var origins: [ObjectIdentifier: Handles] = [:]
    /// Keeps the identifiers above from being given to other objects.
    private var known: [LineOrigin] = []
    private var nodes: [NodeCounts]
    private var scenarios: [ScenarioCounts]
    private var lines = LineCounts()

    public init(_ metrics: Metrics, content: Content) {
        self.metrics = metrics
        self.content = content
        nodes = NodeCounts.zeros(for: content.parsers)
        scenarios = Array(repeating: ScenarioCounts(), count: content.scenarios.count)
    }

    /// Adds what happened since the last call, all of it caused by lines of `origin`.
    public func publish(_ worker: Worker, origin: LineOrigin) {
        var handles = origins[ObjectIdentifier(origin)] ?? makeHandles(origin)
        let now = worker.counts
        add(now.read - lines.read, to: handles.parserHits)
        add(now.parsed - lines.parsed, to: handles.parserOK)
        add(now.unparsed - lines.unparsed, to: handles.parserKO)
        lines = now
        publishNodes(worker, origin, &handles)
        publishScenarios(worker, origin, &handles)
        origins[ObjectIdentifier(origin)] = handles
    }

    private func add(_ count: Int, to counter: Counter) {
        if count > 0 { counter.add(UInt64(count)) }
    }

    private func makeHandles(_ origin: LineOrigin) -> Handles {
        known.append(origin)
        let labels = [("source", String(origin.source)), ("type", String(origin.module))]
        let typed = labels + [("acquis_type", origin.type)]
        return Handles(
            parserHits: metrics.counter(.parserHits, labels), parserOK: metrics.counter(.parserHitsOK, typed),
            parserKO: metrics.counter(.parserHitsKO, typed))
    }

    private func publishNodes(_ worker: Worker, _ origin: LineOrigin, _ handles: inout Handles) {
        let counts = worker.nodeCounts
        for index in counts.indices where counts[index].hits != nodes[index].hits {
            let node = content.parsers.nodeNames[index]
            let labels = [
                ("source", String(origin.source)), ("type", String(origin.module)), ("name", node.name),
                ("stage", node.stage), ("acquis_type", origin.type),
            ]
            let known = handles.nodes[index]
            let handle =
                known
                ?? NodeHandles(
                    hits: metrics.counter(.nodeHits, labels), ok: metrics.counter(.nodeHitsOK, labels),
                    ko: metrics.counter(.nodeHitsKO, labels))
            if known == nil { handles.nodes[index] = handle }
            let hits = counts[index].hits - nodes[index].hits
            let ok = counts[index].ok - nodes[index].ok
            add(hits, to: handle.hits)
            add(ok, to: handle.ok)
            add(hits - ok, to: handle.ko)
            publishWhitelist(counts[index], nodes[index], labels)
        }
        nodes = counts
    }

    private func publishWhitelist(_ now: NodeCounts, _ before: NodeCounts, _ labels: [(String, String)]) {
        guard now.whitelistHits != before.whitelistHits else { return }
        add(now.whitelistHits - before.whitelistHits, to: metrics.counter(.nodeWhitelistHits, labels))
        add(now.whitelisted - before.whitelisted, to: metrics.counter(.nodeWhitelistHitsOK, labels))
    }

    private func publishScenarios(_ worker: Worker, _ origin: LineOrigin, _ handles: inout Handles) {
        let counts = worker.scenarioCounts
        for index in counts.indices where counts[index].poured != scenarios[index].poured {
            let labels = [
                ("source", String(origin.source)), ("type", String(origin.module)),
                ("name", content.scenarios[index].name),
            ]
            let handle = handles.poured[index] ?? metrics.counter(.bucketPoured, labels)
            handles.poured[index] = handle
            add(counts[index].poured - scenarios[index].poured, to: handle)
        }
        publishBuckets(counts)
    }

    /// What needs no origin; also called after a sweep, with nothing poured.
    private func publishBuckets(_ counts: [ScenarioCounts]) {
        for index in counts.indices {
            let (now, before) = (counts[index], scenarios[index])
            let changes: [(MetricName, Int)] = [
                (.bucketOverflowed, now.overflowed - before.overflowed),
                (.bucketUnderflowed, now.underflowed - before.underflowed),
                (.bucketCanceled, now.canceled - before.canceled),
                (.bucketInstantiated, now.instantiated - before.instantiated),
            ]
            for (name, count) in changes where count > 0 {
                metrics.counter(name, [("name", content.scenarios[index].name)]).add(UInt64(count))
            }
        }
        scenarios = counts
    }

    /// Once a second: what the sweep ended, and how many buckets live.
    public func publishGauges(_ worker: Worker) {
        var counts = worker.scenarioCounts
        // Pours are published with their origin only.
        for index in counts.indices { counts[index].poured = scenarios[index].poured }
        publishBuckets(counts)
        for (scenario, count) in worker.bucketCounts { metrics.gauge(.buckets, [("name", scenario)]).set(count) }
        for (name, count) in content.data.stashes.sizes {
            metrics.gauge(.cacheSize, [("name", name), ("type", "LRU")]).set(count)
        }
    }
}
