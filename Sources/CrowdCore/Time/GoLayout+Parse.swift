extension GoLayout {
    /// The time that `text` states; nil when it does not fit the layout. No zone means UTC; no year means year 0.
    public func parse(_ text: ByteSlice) -> Timestamp? {
        guard text.count <= 128 else { return nil }
        var reader = LayoutReader(text: text)
        for (index, part) in parts.enumerated() {
            guard reader.read(part, next: index + 1 < parts.count ? parts[index + 1] : nil) else { return nil }
        }
        return reader.finish()
    }
}

private struct LayoutReader {
    let text: ByteSlice
    var at = 0
    var civil = CivilTime(year: 0)
    var offset: Int32 = 0
    var isPM: Bool?
    var dayOfYear: Int?
    /// The day was given: its range is checked against the month.
    var hasDay = false

    init(text: ByteSlice) { self.text = text }

    mutating func read(_ part: GoLayout.Part, next: GoLayout.Part?) -> Bool {
        switch part {
        case .literal(let bytes): return literal(bytes)
        case .blanks:
            while at < text.count, text[at] == 32 { at += 1 }
            return true
        case .year: return set(\.year, digits(4, 4), 0...9999)
        case .shortYear:
            guard let two = digits(2, 2) else { return false }
            civil.year = two >= 69 ? 1900 + two : 2000 + two
            return true
        case .monthName: return set(\.month, name(CivilTime.monthNames).map { $0 + 1 }, 1...12)
        case .shortMonthName:
            return set(\.month, name(CivilTime.monthNames.map { String($0.prefix(3)) }).map { $0 + 1 }, 1...12)
        case .month: return set(\.month, digits(1, 2), 1...12)
        case .paddedMonth: return set(\.month, digits(2, 2), 1...12)
        case .weekday: return name(CivilTime.weekdayNames) != nil
        case .shortWeekday: return name(CivilTime.weekdayNames.map { String($0.prefix(3)) }) != nil
        case .day, .blankPaddedDay:
            if part == .blankPaddedDay, at < text.count, text[at] == 32 { at += 1 }
            return day(digits(1, 2))
        case .paddedDay: return day(digits(2, 2))
        case .dayOfYear:
            dayOfYear = digits(3, 3)
            return dayOfYear != nil
        case .hour24: return set(\.hour, digits(1, 2), 0...23)
        case .hour12: return set(\.hour, digits(1, 2), 0...12)
        case .paddedHour12: return set(\.hour, digits(2, 2), 0...12)
        case .upperPM, .lowerPM: return halfOfDay(part)
        case .minute: return set(\.minute, digits(1, 2), 0...59)
        case .paddedMinute: return set(\.minute, digits(2, 2), 0...59)
        case .second: return set(\.second, digits(1, 2), 0...59) && unannouncedFraction(next)
        case .paddedSecond: return set(\.second, digits(2, 2), 0...59) && unannouncedFraction(next)
        case .fraction(let count, let optional): return fraction(count: count, optional: optional)
        case .zoneName: return zoneName()
        case .zone(let zulu, let colon, let short): return zone(zulu: zulu, colon: colon, short: short)
        }
    }

    mutating func finish() -> Timestamp? {
        guard at == text.count else { return nil }
        if let isPM {
            if isPM, civil.hour < 12 { civil.hour += 12 }
            if !isPM, civil.hour == 12 { civil.hour = 0 }
        }
        if let dayOfYear {
            guard dayOfYear >= 1, dayOfYear <= (CivilTime.isLeap(civil.year) ? 366 : 365) else { return nil }
            (civil.month, civil.day) = (1, dayOfYear)
        } else if hasDay {
            guard civil.day >= 1, civil.day <= CivilTime.days(inMonth: civil.month, year: civil.year) else {
                return nil
            }
        }
        // Years before 1678 do not fit the nanoseconds of a timestamp; year 0 (no year) is kept apart.
        return civil.year == 0 ? yearless : Timestamp(civil, offset: offset)
    }

    /// A layout without a year gives year 0 in Go, to which its caller adds the current year; we do both.
    private var yearless: Timestamp {
        var dated = civil
        dated.year = Timestamp.now().civil.year
        return Timestamp(dated, offset: offset)
    }

    private mutating func literal(_ bytes: [UInt8]) -> Bool {
        guard at + bytes.count <= text.count else { return false }
        for (index, byte) in bytes.enumerated() where text[at + index] != byte { return false }
        at += bytes.count
        return true
    }

    private mutating func digits(_ least: Int, _ most: Int) -> Int? {
        var value = 0
        let start = at
        while at < text.count, at - start < most, text[at] >= 48, text[at] <= 57 {
            value = value * 10 + Int(text[at] - 48)
            at += 1
        }
        return at - start >= least ? value : nil
    }

    private mutating func set(_ field: WritableKeyPath<CivilTime, Int>, _ value: Int?, _ range: ClosedRange<Int>)
        -> Bool
    {
        guard let value, range.contains(value) else { return false }
        civil[keyPath: field] = value
        return true
    }

    private mutating func day(_ value: Int?) -> Bool {
        guard let value else { return false }
        civil.day = value
        hasDay = true
        return true
    }

    private mutating func name(_ names: [String]) -> Int? {
        for (index, name) in names.enumerated() {
            let bytes = Array(name.utf8)
            guard at + bytes.count <= text.count,
                bytes.indices.allSatisfy({ text[at + $0] | 32 == bytes[$0] | 32 })
            else { continue }
            at += bytes.count
            return index
        }
        return nil
    }

    private mutating func halfOfDay(_ part: GoLayout.Part) -> Bool {
        guard at + 2 <= text.count else { return false }
        let word = String(text[at..<at + 2])
        at += 2
        let (am, pm) = part == .upperPM ? ("AM", "PM") : ("am", "pm")
        guard word == am || word == pm else { return false }
        isPM = word == pm
        return true
    }

    /// Go takes a fraction right after the seconds even when the layout does not mention one.
    private mutating func unannouncedFraction(_ next: GoLayout.Part?) -> Bool {
        if case .fraction? = next { return true }
        guard at + 1 < text.count, text[at] == UInt8(ascii: ".") || text[at] == UInt8(ascii: ","), text[at + 1] >= 48,
            text[at + 1] <= 57
        else { return true }
        return takeFraction()
    }

    private mutating func takeFraction() -> Bool {
        at += 1
        var scale = 100_000_000
        civil.nanosecond = 0
        while at < text.count, text[at] >= 48, text[at] <= 57 {
            civil.nanosecond += Int(text[at] - 48) * scale
            scale /= 10
            at += 1
        }
        return true
    }

    private mutating func fraction(count: Int, optional: Bool) -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: ".") || text[at] == UInt8(ascii: ",") else { return optional }
        let start = at
        guard takeFraction() else { return false }
        return optional || at - start == count + 1
    }

    private mutating func zoneName() -> Bool {
        let start = at
        while at < text.count, text[at] >= 65, text[at] <= 90, at - start < 5 { at += 1 }
        if at - start >= 3 { return true }
        at = start
        return zone(zulu: false, colon: false, short: true)
    }

    private mutating func zone(zulu: Bool, colon: Bool, short: Bool) -> Bool {
        if zulu, at < text.count, text[at] == UInt8(ascii: "Z") {
            at += 1
            return true
        }
        guard at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") else { return false }
        let negative = text[at] == UInt8(ascii: "-")
        at += 1
        guard let hours = digits(2, 2), hours <= 24 else { return false }
        var minutes = 0
        if !short {
            if colon {
                guard at < text.count, text[at] == UInt8(ascii: ":") else { return false }
                at += 1
            }
            guard let value = digits(2, 2), value < 60 else { return false }
            minutes = value
        }
        let seconds = Int32(hours * 3_600 + minutes * 60)
        offset = negative ? -seconds : seconds
        return true
    }
}
