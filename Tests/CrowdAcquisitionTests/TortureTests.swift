import CrowdCore
import CrowdTestSupport
import Glibc
import Synchronization
import Testing

@testable import CrowdAcquisition
@testable import CrowdEngine

/// A writer that rotates its file in every way at random, while it writes numbered lines at full speed: each is read once.
///
/// `CROWD_TORTURE_LINES` and `CROWD_TORTURE_SEED` make it longer and another one (`make torture`: a million).
@Suite("Rotation torture") struct TortureTests {
    private static func number(_ name: String) -> Int? { getenv(name).flatMap { Int(String(cString: $0)) } }

    /// Which lines were read, and up to where all of them.
    private final class Tally: Sendable {
        struct State {
            var times: [UInt8]
            var total = 0
            var allBefore = 0
            var other = 0
        }
        let state: Mutex<State>
        init(_ count: Int) { state = Mutex(State(times: Array(repeating: 0, count: count))) }

        func note(_ line: ByteSlice) {
            let number = Int(String(line).dropFirst(5))
            state.withLock { state in
                guard let number, state.times.indices.contains(number) else {
                    state.other += 1
                    return
                }
                state.times[number] &+= 1
                state.total += 1
                while state.allBefore < state.times.count, state.times[state.allBefore] > 0 { state.allBefore += 1 }
            }
        }

        var allBefore: Int { state.withLock { $0.allBefore } }
        var total: Int { state.withLock { $0.total } }
    }

    @Test func everyLineIsReadOnce() throws {
        let count = Self.number("CROWD_TORTURE_LINES") ?? 100_000
        let seed = UInt64(Self.number("CROWD_TORTURE_SEED") ?? 1)
        let folder = try TemporaryDirectory()
        let path = try folder.write("t.log", "")
        let tally = Tally(count)
        let node = try SourceHarness.yaml("filename: \(path)\nlabels: {type: t}\n")
        let source = FileSource(
            try FileSourceConfig(from: node), AcquisitionContext(metrics: Metrics(), log: SourceHarness.log))
        let harness = SourceHarness(source)
        let isOver = Completion<Bool>()
        let isDrained = Completion<Bool>()
        PlainThread.start("engine") {
            while isOver.value == nil {
                guard case .batch(let batch) = harness.queue.take(within: 50) else { continue }
                batch.withEachLine { tally.note($0) }
            }
            isDrained.set(true)
        }
        var writer = RotatingWriter(path, seed: seed, readLines: { tally.allBefore })
        try writer.write(count)
        var (last, idle) = (-1, 0)
        while tally.allBefore < count, idle < 100 {
            usleep(100_000)
            idle = tally.total == last ? idle + 1 : 0
            last = tally.total
        }
        // What comes twice may still come.
        usleep(500_000)
        isOver.set(true)
        _ = isDrained.wait()
        harness.stop()
        let state = tally.state.withLock { $0 }
        #expect(state.times.count { $0 == 0 } == 0, "lines that were not read, the first is \(state.allBefore)")
        let twice = state.times.indices.filter { state.times[$0] > 1 }
        let isNoneTwice = twice.isEmpty
        #expect(isNoneTwice, "\(twice.count) lines were read twice, from \(twice.first ?? 0) to \(twice.last ?? 0)")
        #expect(state.total == count && state.other == 0)
    }
}
