import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

@Suite("What goes first, and how far behind") struct BackPressureTests {
    private func batch(_ text: String, _ priority: String?) -> LineBatch {
        let labels = [("type", "t")] + (priority.map { [("crowd_priority", $0)] } ?? [])
        let batch = LineBatch(LineOrigin(source: "s", module: "m", labels: labels, isReplay: false), capacity: 100)
        var text = text
        text.withUTF8 { batch.append(ByteSlice($0)) }
        return batch
    }

    private func take(_ queue: LineQueue, _ count: Int) -> [String] {
        var texts: [String] = []
        for _ in 0..<count {
            guard case .batch(let batch) = queue.take(within: 0) else { break }
            batch.withEachLine { texts.append(String($0)) }
        }
        return texts
    }

    @Test func whatMattersMoreGoesFirstAndTheRestDoesNotStarve() {
        let queue = LineQueue()
        for number in 0..<20 {
            #expect(queue.put(batch("low", "low")) && queue.put(batch("n\(number)", nil)))
            #expect(queue.put(batch("h\(number)", "high")))
        }
        let order = take(queue, 60)
        #expect(order.count == 60)
        #expect(order.prefix(16).filter { $0.hasPrefix("h") }.count == 14)
        #expect(order.prefix(16).filter { $0 == "low" }.count == 2)
        // Each in its own order.
        #expect(order.filter { $0.hasPrefix("h") } == (0..<20).map { "h\($0)" })
        #expect(order.filter { $0.hasPrefix("n") } == (0..<20).map { "n\($0)" })
    }

    @Test func aFullLaneTakesNoRoomOfAnother() {
        let queue = LineQueue(maxBytes: 10, maxBatches: 2)
        #expect(queue.offer(batch("low", "low")) && queue.offer(batch("low", "low")))
        #expect(!queue.offer(batch("low", "low")))
        #expect(queue.offer(batch("high", "high")))
        #expect(take(queue, 9) == ["high", "low", "low"])
    }

    @Test func anUnknownPriorityIsRefused() throws {
        let node = try SourceHarness.yaml("filename: /x\nlabels: {type: t, crowd_priority: urgent}\n")
        let error = #expect(throws: ConfigError.self) { try FileSourceConfig(from: node) }
        #expect("\(try #require(error))".contains("urgent"))
    }

    @Test func gaugesTellHowFarASourceIsBehind() throws {
        let metrics = Metrics()
        let context = AcquisitionContext(metrics: metrics, log: SourceHarness.log)
        let start = Timestamp(seconds: 1_000_000)
        var lag = SourceLag("/l", module: "file", type: "t", context, now: start)
        func value(_ name: MetricName) -> Double? { metrics.samples(name).first?.value }
        for second in 1...40 {
            lag.isReading(now: start + .seconds(Int64(second))) { Int64(second * 100) }
            #expect(value(.sourceLagBytes) == Double(second * 100) && value(.sourceLagSeconds) == Double(second))
            #expect(value(.sourceBehind) == (second > 30 ? 1 : 0))
        }
        lag.isAtEnd(now: start + .seconds(41))
        #expect(value(.sourceLagBytes) == 0 && value(.sourceLagSeconds) == 0 && value(.sourceBehind) == 0)
        lag.isReading(now: start + .seconds(43)) { 5 }
        #expect(value(.sourceLagSeconds) == 2 && value(.sourceBehind) == 0)
    }
}
