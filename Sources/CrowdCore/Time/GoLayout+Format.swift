extension GoLayout {
    /// The time written in this layout, in its own zone.
    public func format(_ time: Timestamp) -> String {
        let civil = time.civil
        return parts.map { GoLayout.text($0, civil, time.offset) }.joined()
    }

    private static func text(_ part: Part, _ time: CivilTime, _ offset: Int32) -> String {
        let hour12 = time.hour % 12 == 0 ? 12 : time.hour % 12
        switch part {
        case .literal(let bytes): return String(decoding: bytes, as: UTF8.self)
        case .blanks: return " "
        case .year: return padded(time.year, 4)
        case .shortYear: return padded(time.year % 100, 2)
        case .monthName: return CivilTime.monthNames[time.month - 1]
        case .shortMonthName: return String(CivilTime.monthNames[time.month - 1].prefix(3))
        case .month: return "\(time.month)"
        case .paddedMonth: return padded(time.month, 2)
        case .weekday: return CivilTime.weekdayNames[time.weekday]
        case .shortWeekday: return String(CivilTime.weekdayNames[time.weekday].prefix(3))
        case .day: return "\(time.day)"
        case .paddedDay: return padded(time.day, 2)
        case .blankPaddedDay: return time.day < 10 ? " \(time.day)" : "\(time.day)"
        case .dayOfYear: return padded(time.dayOfYear, 3)
        case .hour24: return padded(time.hour, 2)
        case .hour12: return "\(hour12)"
        case .paddedHour12: return padded(hour12, 2)
        case .upperPM: return time.hour < 12 ? "AM" : "PM"
        case .lowerPM: return time.hour < 12 ? "am" : "pm"
        case .minute: return "\(time.minute)"
        case .paddedMinute: return padded(time.minute, 2)
        case .second: return "\(time.second)"
        case .paddedSecond: return padded(time.second, 2)
        case .fraction(let digits, let optional): return fraction(time.nanosecond, digits, optional: optional)
        case .zoneName: return offset == 0 ? "UTC" : zone(offset, colon: false, short: false)
        case .zone(let zulu, let colon, let short):
            return zulu && offset == 0 ? "Z" : zone(offset, colon: colon, short: short)
        }
    }

    private static func fraction(_ nanosecond: Int, _ digits: Int, optional: Bool) -> String {
        var text = String(padded(nanosecond, 9).prefix(digits))
        if optional {
            while text.hasSuffix("0") { text.removeLast() }
            if text.isEmpty { return "" }
        }
        return "." + text
    }

    private static func zone(_ offset: Int32, colon: Bool, short: Bool) -> String {
        let minutes = Int(offset.magnitude) / 60
        let hours = (offset < 0 ? "-" : "+") + padded(minutes / 60, 2)
        return short ? hours : hours + (colon ? ":" : "") + padded(minutes % 60, 2)
    }

    private static func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return digits.utf8.count >= width ? digits : String(repeating: "0", count: width - digits.utf8.count) + digits
    }
}
