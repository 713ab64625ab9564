import CrowdCore
import CrowdHTTP
import CrowdTestSupport
import Synchronization
import Testing

@testable import CrowdLAPI

/// Alerts that are in memory only, and when they stop to be.
@Suite("Fresh alerts") struct FreshAlertTests {
    private let directory: TemporaryDirectory
    private let metrics = Metrics()

    init() throws { directory = try TemporaryDirectory() }

    private func open(maxFreshBytes: Int = 1 << 20) throws -> AlertSpool {
        try openSpool(directory.path, maxFreshBytes: maxFreshBytes, metrics: metrics)
    }

    private var stored: Int { get throws { try FileContents.read(directory.path + "/alerts.spool").count } }
    private var written: UInt64 { UInt64(metrics.samples(.spoolWritten).first?.value ?? 0) }

    private func send(_ spool: AlertSpool, _ post: @escaping AlertSender.Post) -> Task<Void, Never> {
        Task { await AlertSender(spool, address: "test", log: quiet, post: post).run() }
    }

    /// What the spool told of alerts that need not be raised again.
    private final class Ledger: Sendable {
        let uuids = Mutex<[String]>([])
        init(_ spool: AlertSpool) { spool.whenAccounted { [self] new in uuids.withLock { $0 += new } } }
        var told: [String] { uuids.withLock { $0 } }
    }

    @Test func whatIsAnsweredIsNeverWritten() async throws {
        let spool = try open()
        let ledger = Ledger(spool)
        let task = send(spool) { json throws(LAPIError) in AlertReceipt(ids: Received.numbers(json).map(String.init)) }
        for number in 0..<300 { spool.append([alert(number)]) }
        #expect(await spool.waitUntilEmpty(within: .seconds(60)))
        task.cancel()
        #expect(try stored == 0)
        #expect(written == 0)
        #expect(ledger.told == (0..<300).map { "uuid-\($0)" })
    }

    /// A request is under way that is answered later, or never because the process is killed.
    @Test(arguments: [true, false])
    func aCheckpointWritesWhatIsUnderWay(isAnswered: Bool) async throws {
        let seen = Received()
        do {
            let spool = try open()
            let ledger = Ledger(spool)
            let (answers, answer) = AsyncStream<Void>.makeStream()
            spool.append((0..<5).map { alert($0) })
            let task = send(spool) { json throws(LAPIError) in
                let taken = seen.take(json)
                for await _ in answers { return taken }
                throw .unreachable(.cancelled)
            }
            while seen.numbers.isEmpty { await Task.yield() }
            #expect(ledger.told == [])
            #expect(spool.secure())
            #expect(ledger.told == (0..<5).map { "uuid-\($0)" })
            #expect(try stored > 0)
            if isAnswered {
                answer.yield()
                #expect(await spool.waitUntilEmpty(within: .seconds(60)))
                #expect(try stored == 0)
            }
            task.cancel()
            await task.value
            #expect(ledger.told.count == 5)
        }
        #expect(try open().count == (isAnswered ? 0 : 5))
        #expect(seen.numbers == Array(0..<5))
    }

    @Test func aFailedRequestWritesThem() async throws {
        let spool = try open()
        spool.append([alert(1)])
        let task = send(spool) { _ throws(LAPIError) in throw .unreachable(.timedOut) }
        while written == 0 { await Task.yield() }
        task.cancel()
        #expect(try stored > 0)
        #expect(spool.count == 1)
    }

    @Test func whatIsNotAnsweredForLongIsWritten() throws {
        let spool = try open()
        spool.append([alert(1)])
        let now = Timestamp.now()
        spool.secureWhatWaits(at: now)
        #expect(written == 0)
        spool.secureWhatWaits(at: now + AlertSpool.mostPatience + .seconds(1))
        #expect(written == 1)
    }

    @Test func memoryIsBounded() throws {
        let spool = try open(maxFreshBytes: 10_000)
        for number in 0..<50 { spool.append([alert(number, padding: 900)]) }
        #expect(written >= 40)
        #expect(spool.count == 50)
        let batch = try #require(spool.nextBatch(limit: 100))
        #expect(Received.numbers(batch.json) == Array(0..<50))
    }

    /// Some lie on the disk, some do not; the answer comes for both.
    @Test func aRequestMayHoldBothKinds() throws {
        let spool = try open()
        spool.append((0..<3).map { alert($0) })
        spool.secure()
        spool.append((3..<6).map { alert($0) })
        let batch = try #require(spool.nextBatch(limit: 5))
        #expect(Received.numbers(batch.json) == Array(0..<5))
        #expect(spool.settle(batch, .forget))
        #expect(spool.count == 1)
        #expect(Received.numbers(try #require(spool.nextBatch(limit: 5)).json) == [5])
    }

    @Test(.enabled(if: isRoot, "a full disk needs a file system of its own, and that needs root"))
    func aFullDiskCostsTheOldestOnlyAndIsTriedAgain() throws {
        let disk = directory.path + "/disk"
        try Command.must("mkdir \(disk)")
        try Command.must("mount -t tmpfs -o size=16k crowd-test \(disk)")
        defer { _ = try? Command.must("umount \(disk)") }
        let spool = try openSpool(disk, maxFreshBytes: 10_000, metrics: metrics)
        try directory.write("disk/filler", Array(repeating: 0, count: 12_000))
        for number in 0..<50 { spool.append([alert(number, padding: 900)]) }
        #expect(!spool.secure())
        #expect((8...10).contains(spool.count))
        #expect(Int(metrics.samples(.spoolShed).first?.value ?? 0) + spool.count == 50)
        try Command.must("rm \(disk)/filler")
        #expect(spool.secure())
        let batch = try #require(spool.nextBatch(limit: 100))
        #expect(Received.numbers(batch.json) == Array((50 - spool.count)..<50))
    }
}
