import CrowdCore
import CrowdStore
import Testing

@testable import CrowdServer

/// Random adds, ends and expiries, pulled by bouncers with different filters: what a bouncer holds after a pull is
/// exactly what is active for its filter. Holds for deltas from the log, for a server that restarted and for a log that
/// has been cut.
@Suite("Decision book") struct DecisionBookTests {
    struct Key: Hashable { var value: String, type: String, scope: String }

    struct Bouncer {
        var filter: DecisionFilter
        var cursor = StreamCursor.start
        var lastPull: Int64 = 0
        var held: Set<Key> = []
    }

    static let filters: [DecisionFilter] = {
        var cscli = DecisionFilter.stream
        cscli.origins = ["cscli"]
        var ssh = DecisionFilter.stream
        ssh.scenariosContaining = ["ssh"]
        var notSSH = DecisionFilter.stream
        notSSH.scenariosNotContaining = ["ssh"]
        var simulated = DecisionFilter()
        simulated.includesSimulated = true
        var oneType = DecisionFilter.stream
        oneType.type = "captcha"
        return [.stream, cscli, ssh, notSSH, simulated, oneType]
    }()

    @Test(arguments: 0..<42)
    func bouncersHoldWhatIsActive(seed: Int) {
        // The last are long enough for several pages of the log, and have stretches of one kind in it.
        let steps = seed < 40 ? 400 : 4_000
        var random = SeededGenerator(seed: UInt64(seed))
        let smallLog = DecisionBook.Retention(changes: 20, ended: steps * 2, seconds: 0)
        var book = DecisionBook(retention: seed % 2 == 0 ? .init() : smallLog)
        var bouncers = Self.filters.map { Bouncer(filter: $0) }
        var records: [DecisionRecord] = []
        var ends: [Int64: Int64] = [:]
        var now = Timestamp(seconds: 1_800_000_000)
        for step in 1...steps {
            now = now + .seconds(Int64.random(in: 0...40, using: &random))
            book.advance(to: now)
            if step % 1_600 == 0 {
                for id in records.count + 1...records.count + 2_200 {
                    var record = Self.record(id: Int64(id), now: now, using: &random)
                    (record.origin, record.scenario, record.type, record.scope) = ("lists", "list", "ban", "Ip")
                    records.append(record)
                    ends[record.id] = record.until.nanoseconds
                    book.add(record, now: now)
                }
            }
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<5:
                let record = Self.record(id: Int64(records.count + 1), now: now, using: &random)
                records.append(record)
                ends[record.id] = record.until.nanoseconds
                book.add(record, now: now)
            case 5, 6:
                guard let record = records.randomElement(using: &random) else { continue }
                if book.end(id: record.id, now: now) {
                    ends[record.id] = min(ends[record.id] ?? 0, now.nanoseconds)
                }
            default:
                let index = Int.random(in: 0..<bouncers.count, using: &random)
                let isRestart = Int.random(in: 0..<8, using: &random) == 0
                Self.pull(&bouncers[index], from: book, now: now, afterRestart: isRestart)
                let active = Self.active(records, ends, bouncers[index].filter, now: now)
                #expect(bouncers[index].held == active, "seed \(seed) step \(step) filter \(index)")
            }
        }
        #expect(book.activeCount == records.filter { ends[$0.id] ?? 0 > now.nanoseconds }.count)
    }

    private static func record(id: Int64, now: Timestamp, using random: inout SeededGenerator) -> DecisionRecord {
        let value =
            ["192.0.2.1", "192.0.2.2", "198.51.100.0/24", "2001:db8::1", "alice"]
            .randomElement(using: &random) ?? ""
        let scope = value == "alice" ? "username" : value.contains("/") ? "Range" : "Ip"
        return DecisionRecord(
            id: id, createdAt: now - .seconds(1), until: now + .seconds(Int64.random(in: -20...300, using: &random)),
            scenario: ["acme/ssh-bf", "acme/http-probe"].randomElement(using: &random) ?? "",
            type: ["ban", "ban", "captcha"].randomElement(using: &random) ?? "", scope: scope, value: value,
            origin: ["crowdsec", "cscli"].randomElement(using: &random) ?? "",
            simulated: Int.random(in: 0..<6, using: &random) == 0, uuid: "", alertID: 1)
    }

    private static func pull(_ bouncer: inout Bouncer, from book: DecisionBook, now: Timestamp, afterRestart: Bool) {
        let view = DecisionView(book, now: now)
        let delta: StreamDelta
        if case .change(let number) = bouncer.cursor, book.remembers(number), !afterRestart {
            delta = book.delta(after: number, bouncer.filter)
        } else if bouncer.cursor == .start {
            delta = view.delta(from: .start, bouncer.filter)
        } else {
            delta = view.delta(from: .time(nanoseconds: bouncer.lastPull), bouncer.filter)
        }
        for slot in delta.deleted { bouncer.held.remove(key(view, slot)) }
        for slot in delta.new { bouncer.held.insert(key(view, slot)) }
        bouncer.cursor = .change(view.lastChange)
        bouncer.lastPull = now.nanoseconds
    }

    private static func key(_ view: DecisionView, _ slot: Int32) -> Key {
        let entry = view.entries[Int(slot)]
        let kind = view.kinds[Int(entry.kind)].kind
        return Key(value: entry.value, type: kind.type, scope: kind.scope)
    }

    private static func active(
        _ records: [DecisionRecord], _ ends: [Int64: Int64], _ filter: DecisionFilter, now: Timestamp
    ) -> Set<Key> {
        var kinds = DecisionKinds()
        let passing = records.filter { record in
            guard ends[record.id] ?? 0 > now.nanoseconds else { return false }
            let number = kinds.use(
                DecisionKind(
                    origin: record.origin, type: record.type, scope: record.scope, scenario: record.scenario))
            return filter.accepts(kinds[number])
                && filter.acceptsItself(DecisionEntry(record, kind: number, slot: 0))
        }
        return Set(passing.map { Key(value: $0.value, type: $0.type, scope: $0.scope) })
    }

    /// More ends at once than the log keeps: nobody who polls within minutes may miss one.
    @Test func aMassDeletionReachesASlowBouncer() {
        var book = DecisionBook(retention: .init(changes: 10, ended: 10, seconds: 600))
        var now = Timestamp(seconds: 1_800_000_000)
        for id in 1...200 {
            book.add(
                DecisionRecord(
                    id: Int64(id), createdAt: now, until: now + .seconds(36_000), scenario: "s", type: "ban",
                    scope: "Ip",
                    value: "192.0.2.\(id)", origin: "o", simulated: false, uuid: "", alertID: 1), now: now)
        }
        let cursor = book.lastChange
        for id in 1...200 { book.end(id: Int64(id), now: now) }
        for _ in 0..<5 {
            now = now + .seconds(60)
            book.advance(to: now)
        }
        #expect(book.remembers(cursor) && book.delta(after: cursor, .stream).deleted.count == 200)
        for _ in 0..<10 {
            now = now + .seconds(60)
            book.advance(to: now)
        }
        #expect(!book.remembers(cursor))
    }

    @Test func looksUpWhatCoversAnAddress() {
        var book = DecisionBook()
        let now = Timestamp(seconds: 1_800_000_000)
        let values = ["192.0.2.7", "192.0.2.0/24", "192.0.0.0/16", "10.0.0.0/8", "2001:db8::/32", "192.0.2.7"]
        for (index, value) in values.enumerated() {
            let scope = value.contains("/") ? "Range" : "Ip"
            book.add(
                DecisionRecord(
                    id: Int64(index + 1), createdAt: now, until: now + .seconds(60), scenario: "s", type: "ban",
                    scope: scope, value: value, origin: "o", simulated: false, uuid: "", alertID: 1), now: now)
        }
        func ids(_ text: String, contains: Bool = true) -> [Int64] {
            var search = DecisionSearch()
            search.filter.range = IPRange(text)
            search.filter.contains = contains
            let slots = book.lookUp(search) ?? DecisionView(book, now: now).find(search)
            return slots.map { book.entries[$0].id }
        }
        #expect(ids("192.0.2.7") == [1, 2, 3, 6])
        #expect(ids("192.0.2.0/24") == [2, 3])
        #expect(ids("192.0.2.0/24", contains: false) == [1, 2, 6])
        #expect(ids("2001:db8::1") == [5])
        book.end(id: 1, now: now)
        #expect(ids("192.0.2.7") == [2, 3, 6])
    }
}

/// A reproducible generator: SplitMix64.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
