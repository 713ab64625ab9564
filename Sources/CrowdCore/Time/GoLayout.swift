/// A date layout in Go's notation: the reference time `Mon Jan 2 15:04:05 MST 2006` spelt as the text should be.
///
/// Follows Go's `time.Parse` where logs need it (engine facts B.8): a run of blanks in the layout takes any run of
/// blanks; a fraction directly after the seconds is taken even when the layout has none; names are English and of any
/// case; the whole text must be used up.
public struct GoLayout: Sendable {
    enum Part: Equatable, Sendable {
        case literal([UInt8])
        case blanks
        case year, shortYear
        case monthName, shortMonthName, month, paddedMonth
        case weekday, shortWeekday
        case day, paddedDay, blankPaddedDay, dayOfYear
        case hour24, hour12, paddedHour12, upperPM, lowerPM
        case minute, paddedMinute, second, paddedSecond
        case fraction(digits: Int, optional: Bool)
        case zoneName
        /// `Z07:00` and its kin: `Z` stands for offset zero.
        case zone(zulu: Bool, colon: Bool, short: Bool)
    }

    let parts: [Part]

    public init(_ layout: String) { parts = GoLayout.split(Array(layout.utf8)) }

    private static let words: [(String, Part)] = [
        ("January", .monthName), ("Monday", .weekday), ("Z07:00", .zone(zulu: true, colon: true, short: false)),
        ("-07:00", .zone(zulu: false, colon: true, short: false)),
        ("Z0700", .zone(zulu: true, colon: false, short: false)),
        ("-0700", .zone(zulu: false, colon: false, short: false)), ("2006", .year), ("Jan", .shortMonthName),
        ("Mon", .shortWeekday), ("MST", .zoneName), ("-07", .zone(zulu: false, colon: false, short: true)),
        ("Z07", .zone(zulu: true, colon: false, short: true)), ("002", .dayOfYear), ("__2", .dayOfYear),
        ("01", .paddedMonth), ("02", .paddedDay), ("03", .paddedHour12), ("04", .paddedMinute), ("05", .paddedSecond),
        ("06", .shortYear), ("15", .hour24), ("_2", .blankPaddedDay), ("PM", .upperPM), ("pm", .lowerPM),
        ("1", .month), ("2", .day), ("3", .hour12), ("4", .minute), ("5", .second),
    ]

    private static func split(_ layout: [UInt8]) -> [Part] {
        var parts: [Part] = []
        var at = 0
        while at < layout.count {
            if layout[at] == 32, !layout[at...].starts(with: "_2".utf8) {
                while at < layout.count, layout[at] == 32 { at += 1 }
                parts.append(.blanks)
            } else if let (part, length) = fraction(layout, at) ?? word(layout, at) {
                parts.append(part)
                at += length
            } else {
                if case .literal(let text)? = parts.last {
                    parts[parts.count - 1] = .literal(text + [layout[at]])
                } else {
                    parts.append(.literal([layout[at]]))
                }
                at += 1
            }
        }
        return parts
    }

    private static func word(_ layout: [UInt8], _ at: Int) -> (Part, Int)? {
        for (word, part) in words where layout[at...].starts(with: word.utf8) {
            // "_2006" is a literal underscore before the year.
            if part == .blankPaddedDay, layout[at...].starts(with: "_2006".utf8) { continue }
            return (part, word.utf8.count)
        }
        return nil
    }

    /// `.000`, `,999`: only when no further digit follows.
    private static func fraction(_ layout: [UInt8], _ at: Int) -> (Part, Int)? {
        guard layout[at] == UInt8(ascii: ".") || layout[at] == UInt8(ascii: ","), at + 1 < layout.count,
            layout[at + 1] == UInt8(ascii: "0") || layout[at + 1] == UInt8(ascii: "9")
        else { return nil }
        let digit = layout[at + 1]
        var end = at + 1
        while end < layout.count, layout[end] == digit { end += 1 }
        if end < layout.count, layout[end] >= 48, layout[end] <= 57 { return nil }
        return (.fraction(digits: end - at - 1, optional: digit == UInt8(ascii: "9")), end - at)
    }
}
