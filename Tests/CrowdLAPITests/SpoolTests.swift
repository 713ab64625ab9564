import CrowdCore
import CrowdHTTP
import CrowdTestSupport
import Logging
import Synchronization
import Testing

@testable import CrowdLAPI

func alert(_ number: Int, padding: Int = 0) -> EncodedAlert {
    EncodedAlert(
        uuid: "uuid-\(number)",
        json: Array(
            "{\"uuid\":\"uuid-\(number)\",\"n\":\(number),\"p\":\"\(String(repeating: "x", count: padding))\"}".utf8))
}

private func numbered(_ alerts: [EncodedAlert], _ journal: inout SpoolJournal) -> [(UInt64, EncodedAlert)] {
    alerts.map { (journal.takeSequence(), $0) }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

func openSpool(
    _ path: String, maxBytes: Int = 1 << 20, maxFreshBytes: Int = 1 << 20, metrics: Metrics = Metrics()
) throws -> AlertSpool {
    var settings = AlertSpool.Settings(directory: path)
    settings.maxBytes = maxBytes
    settings.maxFreshBytes = maxFreshBytes
    return try AlertSpool(settings, metrics: metrics, log: quiet)
}

@Suite("Spool journal") struct SpoolJournalTests {
    private func reopen(_ path: String) throws -> [EncodedAlert] {
        var found: (entries: [SpoolJournal.Entry], damagedBytes: Int) = ([], 0)
        let journal = try SpoolJournal(path: path, recovered: &found)
        return found.entries.compactMap { journal.read($0) }
    }

    @Test func aCutAtAnyByteLosesOnlyWhatWasNotFinished() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a"
        var ends: [Int] = []
        do {
            var found: (entries: [SpoolJournal.Entry], damagedBytes: Int) = ([], 0)
            var journal = try SpoolJournal(path: path, recovered: &found)
            for number in 0..<4 {
                _ = try journal.append(numbered([alert(number)], &journal))
                ends.append(try FileContents.read(path).count)
            }
        }
        let whole = try FileContents.read(path)
        for length in 0...whole.count {
            let cut = try directory.write("cut", Array(whole[..<length]))
            #expect(try reopen(cut).count == ends.filter { $0 <= length }.count, "cut at \(length)")
        }
    }

    @Test func aRottenByteCostsOneRecord() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a"
        do {
            var found: (entries: [SpoolJournal.Entry], damagedBytes: Int) = ([], 0)
            var journal = try SpoolJournal(path: path, recovered: &found)
            _ = try journal.append(numbered((0..<3).map { alert($0) }, &journal))
        }
        let whole = try FileContents.read(path)
        for place in 0..<whole.count {
            var bytes = whole
            bytes[place] ^= 1
            try directory.write("rot", bytes)
            let left = try reopen(directory.path + "/rot")
            #expect(left.count == 2, "byte \(place)")
            #expect(try reopen(directory.path + "/rot") == left)
        }
    }

    @Test func acknowledgedAlertsStayAwayAndTheFileShrinks() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a"
        do {
            var found: (entries: [SpoolJournal.Entry], damagedBytes: Int) = ([], 0)
            var journal = try SpoolJournal(path: path, tolerableWaste: 1 << 20, recovered: &found)
            var entries = try journal.append(numbered((0..<200).map { alert($0, padding: 20_000) }, &journal))
            let done = Array(entries.prefix(150))
            entries.removeFirst(150)
            journal.acknowledge(done, left: &entries)
            #expect(try FileContents.read(path).count < 60 * 20_100)
            #expect(journal.read(entries[0])?.uuid == "uuid-150")
        }
        #expect(try reopen(path).map(\.uuid) == (150..<200).map { "uuid-\($0)" })
        do {
            var found: (entries: [SpoolJournal.Entry], damagedBytes: Int) = ([], 0)
            var journal = try SpoolJournal(path: path, recovered: &found)
            var none: [SpoolJournal.Entry] = []
            journal.acknowledge(found.entries, left: &none)
        }
        #expect(try FileContents.read(path).isEmpty)
    }
}

@Suite("Delivery plan") struct DeliveryPlanTests {
    private static let no = DeliveryPlan.Outcome.refused(status: 400, message: "no")
    private static let broken = DeliveryPlan.Outcome.failed(status: 500, message: "db")

    @Test func aBadAlertIsFoundByHalving() {
        var plan = DeliveryPlan()
        var queue = Array(UInt64(1)...200)
        var buried: [UInt64] = []
        var requests = 0
        while !queue.isEmpty {
            let batch = Array(queue.prefix(plan.limit))
            requests += 1
            switch plan.outcome(batch.contains(77) ? Self.no : .accepted, for: batch, random: 0.5) {
            case .forget: queue.removeFirst(batch.count)
            case .giveUp:
                buried += batch
                queue.removeFirst(batch.count)
            case .retry(let delay): #expect(delay == .zero)
            }
        }
        #expect(buried == [77])
        #expect(requests < 40)
    }

    @Test func absenceWaitsLongerEachTimeUpToAMinute() {
        var plan = DeliveryPlan()
        let waits = (0..<8).map { _ in plan.outcome(.away, for: [1], random: 0.5) }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60].map { .retry(after: .seconds($0)) })
        #expect(plan.outcome(.accepted, for: [1], random: 0.5) == .forget)
        #expect(plan.outcome(.away, for: [2], random: 0.5) == .retry(after: .seconds(1)))
    }

    @Test func aServerThatFailsOnEverythingLosesNothing() {
        var plan = DeliveryPlan()
        for _ in 0..<50 {
            guard case .retry = plan.outcome(Self.broken, for: [1], random: 0.5) else {
                Issue.record("given up")
                return
            }
        }
    }

    @Test func oneThatFailsWhileOthersPassIsGivenUp() {
        var plan = DeliveryPlan()
        var verdicts: [DeliveryPlan.Verdict] = []
        for round in 0..<5 {
            verdicts.append(plan.outcome(Self.broken, for: [1], random: 0.5))
            _ = plan.outcome(.accepted, for: [UInt64(round) + 2], random: 0.5)
        }
        #expect(verdicts.last == .giveUp(status: 500, message: "db"))
        #expect(verdicts.dropLast().allSatisfy { if case .retry = $0 { true } else { false } })
    }

    @Test(arguments: [
        (LAPIError.unreachable(.timedOut), DeliveryPlan.Outcome.away),
        (.credentials(status: 403, message: "x"), .away), (.refused(status: 503, message: "x"), .away),
        (.refused(status: 422, message: "x"), .refused(status: 422, message: "x")),
        (
            .refused(status: 500, message: "validation failure list:\n0.capacity in body is required"),
            .refused(status: 500, message: "validation failure list:\n0.capacity in body is required")
        ), (.refused(status: 500, message: "database is locked"), .failed(status: 500, message: "database is locked")),
    ])
    func errorsAreSorted(_ error: LAPIError, _ outcome: DeliveryPlan.Outcome) {
        #expect(DeliveryPlan.Outcome(error) == outcome)
    }
}

@Suite("Alert spool and sender") struct AlertSpoolTests {
    private func run(_ spool: AlertSpool, _ post: @escaping AlertSender.Post) -> Task<Void, Never> {
        let sender = AlertSender(spool, address: "test", log: quiet, post: post)
        return Task { await sender.run() }
    }

    @Test func arrivesInOrderOnceAndLeavesNothingBehind() async throws {
        let directory = try TemporaryDirectory()
        let spool = try openSpool(directory.path)
        let seen = Received()
        let task = run(spool) { json throws(LAPIError) in seen.take(json) }
        for number in 0..<500 { spool.append([alert(number)]) }
        #expect(await spool.waitUntilEmpty(within: .seconds(60)))
        task.cancel()
        await task.value
        #expect(seen.numbers == Array(0..<500))
        #expect(try FileContents.read(directory.path + "/alerts.spool").isEmpty)
    }

    @Test func whatWasNotSentIsSentByTheNextProcess() async throws {
        let directory = try TemporaryDirectory()
        do {
            let first = try openSpool(directory.path)
            first.append((0..<10).map { alert($0) })
            #expect(first.secure())
        }
        let spool = try openSpool(directory.path)
        #expect(spool.count == 10)
        let seen = Received()
        let task = run(spool) { json throws(LAPIError) in seen.take(json) }
        #expect(await spool.waitUntilEmpty(within: .seconds(60)))
        task.cancel()
        #expect(seen.numbers == Array(0..<10))
    }

    @Test func aRefusedAlertIsKeptAsideAndHoldsUpNobody() async throws {
        let directory = try TemporaryDirectory()
        let metrics = Metrics()
        let spool = try openSpool(directory.path, metrics: metrics)
        let seen = Received()
        spool.append((0..<20).map { alert($0) })
        let task = run(spool) { json throws(LAPIError) in
            if Received.numbers(json).contains(7) {
                throw .refused(status: 500, message: "validation failure list:\nx")
            }
            return seen.take(json)
        }
        #expect(await spool.waitUntilEmpty(within: .seconds(60)))
        task.cancel()
        #expect(seen.numbers == Array(0..<20).filter { $0 != 7 })
        let letter = String(decoding: try FileContents.read(directory.path + "/refused-alerts.jsonl"), as: UTF8.self)
        #expect(letter.contains("\"uuid\":\"uuid-7\"") && letter.contains("validation failure"))
        #expect(metrics.samples(.spoolRefused).first?.value == 1)
        #expect(metrics.samples(.spoolSent).first?.value == 19)
    }

    @Test func whatABatchWasRefusedIsKeptAside() async throws {
        let directory = try TemporaryDirectory()
        let metrics = Metrics()
        let spool = try openSpool(directory.path, metrics: metrics)
        let seen = Received()
        spool.append((0..<20).map { alert($0) })
        let requests = Mutex(0)
        let task = run(spool) { json throws(LAPIError) in
            requests.withLock { $0 += 1 }
            return seen.take(json, refused: [3: "no duration", 19: "too long"])
        }
        #expect(await spool.waitUntilEmpty(within: .seconds(60)))
        task.cancel()
        #expect(seen.numbers == Array(0..<20).filter { $0 != 3 && $0 != 19 })
        #expect(requests.withLock { $0 } == 1)
        let letters = String(decoding: try FileContents.read(directory.path + "/refused-alerts.jsonl"), as: UTF8.self)
            .split(separator: "\n").map { try? JSON.parse(Array($0.utf8)) }
        #expect(letters.map { $0?["uuid"]?.string } == ["uuid-3", "uuid-19"])
        #expect(letters.map { $0?["reason"]?.string } == ["no duration", "too long"])
        #expect(letters.map { $0?["alert"]?["n"]?.int } == [3, 19])
        #expect(metrics.samples(.spoolRefused).first?.value == 2)
        #expect(metrics.samples(.spoolSent).first?.value == 18)
    }

    @Test func aFullSpoolDropsTheOldest() throws {
        let directory = try TemporaryDirectory()
        let metrics = Metrics()
        let spool = try openSpool(directory.path, maxBytes: 10_000, metrics: metrics)
        for number in 0..<50 {
            spool.append([alert(number, padding: 900)])
            spool.secure()
        }
        let batch = try #require(spool.nextBatch(limit: 100))
        #expect(Received.numbers(batch.json).last == 49)
        #expect(batch.sequences.count == 10)
        #expect(metrics.samples(.spoolShed).first?.value == 40)
    }

    @Test func requestsAreBoundedInBytes() throws {
        let directory = try TemporaryDirectory()
        var settings = AlertSpool.Settings(directory: directory.path)
        settings.maxRequestBytes = 2500
        let spool = try AlertSpool(settings, metrics: Metrics(), log: quiet)
        spool.append((0..<5).map { alert($0, padding: 1000) })
        #expect(spool.nextBatch(limit: 100)?.sequences.count == 2)
    }
}

final class Received: Sendable {
    private let list = Mutex<[Int]>([])
    var numbers: [Int] { list.withLock { $0 } }

    /// - Parameter refused: numbers that are not taken, by the reason.
    func take(_ json: [UInt8], refused: [Int: String] = [:]) -> AlertReceipt {
        let numbers = Self.numbers(json)
        let taken = numbers.filter { refused[$0] == nil }
        list.withLock { $0 += taken }
        return AlertReceipt(
            ids: taken.map(String.init),
            refused: numbers.enumerated().compactMap { index, number in
                refused[number].map { AlertReceipt.Refused(index: index, reason: $0) }
            })
    }

    static func numbers(_ json: [UInt8]) -> [Int] {
        ((try? JSON.parse(json))?.array ?? []).compactMap { $0["n"]?.int.map { Int($0) } }
    }
}
