import CrowdCore
import CrowdExpr
import Synchronization

/// `ParseDate`: the date of a line as RFC 3339 in `evt.Enriched.MarshaledTime` (engine facts B.8).
///
/// Attackers do not choose dates, syslog does: the commonest forms are read without the general layout machinery.
/// In a replay a parsed date becomes the event's time.
struct DateEnricher: Enricher {
    private let output: FieldKey

    /// In the order in which the reference tries them.
    private static let layouts = [
        "2006-01-02T15:04:05Z07:00", "02/Jan/2006:15:04:05 -0700", "Mon Jan 2 15:04:05 2006",
        "02-Jan-2006 15:04:05 europe/paris", "01/02/2006 15:04:05", "2006-01-02 15:04:05.999999999 -0700 MST",
        "Jan  2 15:04:05", "Mon Jan 02 15:04:05.000000 2006", "2006-01-02T15:04:05Z07:00", "2006/01/02",
        "2006/01/02 15:04", "2006-01-02", "2006-01-02 15:04", "2006/01/02 15:04:05", "2006-01-02 15:04:05",
        "2006-01-02T15:04:05",
    ].map(GoLayout.init)

    init?(keys: KeyTable) {
        guard let key = keys.intern("MarshaledTime") else { return nil }
        output = key
    }

    func enrich(_ value: ByteSlice, _ event: Event) {
        let memory = event.memories.memory(output) { DateMemory() }
        if event.strTimeFormat.isEmpty, let (text, time) = memory.recall(value, event.arena) {
            return set(text, time, isParsed: true, event)
        }
        let parsed = value.isEmpty ? nil : parse(value, layout: event.strTimeFormat)
        // The time of reading is kept with the line: read again after a restart, it gives the same.
        let time = parsed ?? (event.line.time.nanoseconds > 0 ? event.line.time : Timestamp.now())
        let text = DateText.rfc3339(time, event.arena)
        if parsed != nil, event.strTimeFormat.isEmpty { memory.keep(value, text, time) }
        set(text, time, isParsed: parsed != nil, event)
    }

    private func set(_ text: ByteSlice, _ time: Timestamp, isParsed: Bool, _ event: Event) {
        EventMap.enriched.set(output, text, in: event)
        event.parsedDate = (text, time)
        if isParsed, event.isReplay { event.time = time }
    }

    private func parse(_ text: ByteSlice, layout: ByteSlice) -> Timestamp? {
        if !layout.isEmpty, let time = GoLayout(String(layout)).parse(text) { return time }
        if let time = DateText.syslog(text) ?? DateText.accessLog(text) ?? Timestamp(strictRFC3339: text) {
            return time
        }
        for layout in DateEnricher.layouts {
            if let time = layout.parse(text) { return time }
        }
        return DateText.unix(text)
    }
}

/// The date that was read last and what was made of it: lines of one second have the same. One worker's own.
final class DateMemory {
    private static let longest = 64
    private let bytes: UnsafeMutablePointer<UInt8> = .allocate(capacity: 2 * longest)
    private var value = ByteSlice.empty
    private var text = ByteSlice.empty
    private var time = Timestamp(nanoseconds: 0)
    /// The year of dates without one, then.
    private var year = 0

    deinit { bytes.deallocate() }

    /// What was made of this very date, the text copied into the arena.
    func recall(_ value: ByteSlice, _ arena: Arena) -> (ByteSlice, Timestamp)? {
        guard !value.isEmpty, value == self.value, year == CurrentYear.value else { return nil }
        return (arena.copy(text), time)
    }

    func keep(_ value: ByteSlice, _ text: ByteSlice, _ time: Timestamp) {
        guard value.count <= DateMemory.longest, text.count <= DateMemory.longest else { return }
        bytes.update(from: value.base, count: value.count)
        self.value = ByteSlice(base: bytes, count: value.count)
        let own = bytes + DateMemory.longest
        own.update(from: text.base, count: text.count)
        self.text = ByteSlice(base: own, count: text.count)
        self.time = time
        year = CurrentYear.value
    }
}

/// The dates that make up nearly all logs, read and written byte by byte.
enum DateText {
    private static func digits(_ text: ByteSlice, _ at: Int, _ count: Int) -> Int? {
        var value = 0
        for index in at..<(at + count) {
            guard text[index] >= 48, text[index] <= 57 else { return nil }
            value = value * 10 + Int(text[index] - 48)
        }
        return value
    }

    /// 1 to 12, by the three letters at `at`; exact case, other spellings are left to the layouts.
    private static func month(_ text: ByteSlice, _ at: Int) -> Int? {
        let letters = UInt32(text[at]) << 16 | UInt32(text[at + 1]) << 8 | UInt32(text[at + 2])
        switch letters {
        case 0x4a_616e: return 1
        case 0x46_6562: return 2
        case 0x4d_6172: return 3
        case 0x41_7072: return 4
        case 0x4d_6179: return 5
        case 0x4a_756e: return 6
        case 0x4a_756c: return 7
        case 0x41_7567: return 8
        case 0x53_6570: return 9
        case 0x4f_6374: return 10
        case 0x4e_6f76: return 11
        case 0x44_6563: return 12
        default: return nil
        }
    }

    private static func clock(_ text: ByteSlice, _ at: Int) -> (Int, Int, Int)? {
        guard text[at + 2] == 58, text[at + 5] == 58, let hour = digits(text, at, 2),
            let minute = digits(text, at + 3, 2),
            let second = digits(text, at + 6, 2), hour < 24, minute < 60, second < 60
        else { return nil }
        return (hour, minute, second)
    }

    /// `Jan  2 15:04:05`, of the current year.
    static func syslog(_ text: ByteSlice) -> Timestamp? {
        guard text.count == 15, text[3] == 32, text[6] == 32, let month = month(text, 0),
            let (hour, minute, second) = clock(text, 7)
        else { return nil }
        let day = text[4] == 32 ? digits(text, 5, 1) : digits(text, 4, 2)
        guard let day, day >= 1, day <= CivilTime.days(inMonth: month, year: 4) else { return nil }
        let civil = CivilTime(
            year: CurrentYear.value, month: month, day: day, hour: hour, minute: minute, second: second)
        return Timestamp(civil)
    }

    /// `02/Jan/2006:15:04:05 -0700`
    static func accessLog(_ text: ByteSlice) -> Timestamp? {
        guard text.count == 26, text[2] == 47, text[6] == 47, text[11] == 58, text[20] == 32,
            let day = digits(text, 0, 2),
            let month = month(text, 3), let year = digits(text, 7, 4), let (hour, minute, second) = clock(text, 12),
            let zoneHour = digits(text, 22, 2), let zoneMinute = digits(text, 24, 2), zoneMinute < 60, zoneHour <= 24,
            day >= 1, day <= CivilTime.days(inMonth: month, year: year)
        else { return nil }
        let sign: Int32
        switch text[21] {
        case UInt8(ascii: "+"): sign = 1
        case UInt8(ascii: "-"): sign = -1
        default: return nil
        }
        let civil = CivilTime(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        return Timestamp(civil, offset: sign * Int32(zoneHour * 3_600 + zoneMinute * 60))
    }

    /// The part before the first point is seconds since the epoch.
    static func unix(_ text: ByteSlice) -> Timestamp? {
        let end = text.firstIndex(of: UInt8(ascii: ".")) ?? text.count
        guard end > 0, end <= 11, let seconds = digits(text, 0, end), seconds > 0 else { return nil }
        return Timestamp(seconds: Int64(seconds))
    }

    /// RFC 3339 with the shortest fraction, in the time's own zone.
    static func rfc3339(_ time: Timestamp, _ arena: Arena) -> ByteSlice {
        let civil = time.civil
        guard civil.year >= 0, civil.year <= 9_999 else { return arena.copy(time.rfc3339Nano) }
        let room = arena.allocate(35)
        var at = 0
        func put(_ byte: UInt8) {
            room[at] = byte
            at += 1
        }
        func put(_ value: Int, _ width: Int) {
            var divisor = 1
            for _ in 1..<width { divisor *= 10 }
            var rest = value
            while divisor > 0 {
                put(48 + UInt8(rest / divisor))
                rest %= divisor
                divisor /= 10
            }
        }
        put(civil.year, 4)
        put(45)
        put(civil.month, 2)
        put(45)
        put(civil.day, 2)
        put(84)
        put(civil.hour, 2)
        put(58)
        put(civil.minute, 2)
        put(58)
        put(civil.second, 2)
        if civil.nanosecond > 0 {
            put(46)
            put(civil.nanosecond, 9)
            while room[at - 1] == 48 { at -= 1 }
        }
        if time.offset == 0 {
            put(90)
        } else {
            let minutes = Int(time.offset.magnitude) / 60
            put(time.offset < 0 ? 45 : 43)
            put(minutes / 60, 2)
            put(58)
            put(minutes % 60, 2)
        }
        return ByteSlice(base: room, count: at)
    }
}

/// The year that dates without one belong to (UTC), looked up at most once in 4,096 uses.
enum CurrentYear {
    private static let cached = Atomic(Timestamp.now().civil.year)
    private static let uses = Atomic(0)

    static var value: Int {
        if uses.wrappingAdd(1, ordering: .relaxed).newValue & 4_095 == 0 {
            cached.store(Timestamp.now().civil.year, ordering: .relaxed)
        }
        return cached.load(ordering: .relaxed)
    }
}

extension Timestamp {
    /// RFC 3339 as Go's layout demands it: a `T`, and a zone.
    init?(strictRFC3339 text: ByteSlice) {
        guard text.count >= 20, text[10] == UInt8(ascii: "T") else { return nil }
        let last = text[text.count - 1]
        guard last == UInt8(ascii: "Z") || text[text.count - 3] == UInt8(ascii: ":"),
            last == UInt8(ascii: "Z") || text[text.count - 6] == UInt8(ascii: "+")
                || text[text.count - 6] == UInt8(ascii: "-")
        else { return nil }
        self.init(rfc3339Bytes: text.buffer)
    }
}
