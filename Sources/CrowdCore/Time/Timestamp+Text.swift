extension Timestamp {
    /// RFC 3339 in whole seconds, `Z` for offset zero.
    public var rfc3339: String { text(separator: UInt8(ascii: "T"), fraction: .none, zone: rfc3339Zone) }

    /// RFC 3339 with the shortest fraction that keeps every nanosecond; none when zero.
    public var rfc3339Nano: String { text(separator: UInt8(ascii: "T"), fraction: .shortest, zone: rfc3339Zone) }

    /// RFC 3339 in UTC with exactly three fractional digits: the form of allowlist dates.
    public var rfc3339Milliseconds: String {
        utc.text(separator: UInt8(ascii: "T"), fraction: .milliseconds, zone: "Z")
    }

    /// Go's `Time.String()`: `2026-11-21 08:17:29.5 +0000 UTC`, `… +0200 +0200` for an unnamed zone.
    public var goString: String {
        if offset == 0 { return text(separator: UInt8(ascii: " "), fraction: .shortest, zone: " +0000 UTC") }
        let zone = numericZone(colon: false)
        return text(separator: UInt8(ascii: " "), fraction: .shortest, zone: " \(zone) \(zone)")
    }

    /// The form in which the reference's SQLite tables hold times: `2026-11-21 08:17:30.226142096+00:00`.
    public var sqlite: String { utc.text(separator: UInt8(ascii: " "), fraction: .shortest, zone: "+00:00") }

    /// RFC 9110 section 5.6.7: `Sat, 21 Nov 2026 08:17:29 GMT`.
    public var httpDate: String {
        let time = utc.civil
        let day = CivilTime.weekdayNames[time.weekday].prefix(3)
        let month = CivilTime.monthNames[time.month - 1].prefix(3)
        return "\(day), \(padded(time.day, 2)) \(month) \(padded(time.year, 4)) \(clock(time)) GMT"
    }

    /// Reads RFC 3339: `T`, `t` or a blank between date and time, any number of fractional digits, `Z` or an offset.
    public init?(rfc3339 text: some StringProtocol) {
        var text = String(text)
        guard let parsed = text.withUTF8({ Timestamp(rfc3339Bytes: $0) }) else { return nil }
        self = parsed
    }

    /// Reads the SQLite form, also with `T`, and without a zone (then UTC).
    public init?(sqlite text: some StringProtocol) { self.init(rfc3339: text) }

    /// `YYYY-MM-DD[T ]HH:MM:SS[.fraction][Z|±HH:MM]`, without making a String.
    public init?(rfc3339Bytes bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count >= 19, bytes.count <= 64 else { return nil }
        func number(_ at: Int, _ count: Int) -> Int? {
            var value = 0
            for byte in bytes[at..<at + count] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte - 48)
            }
            return value
        }
        let dash = UInt8(ascii: "-")
        let colon = UInt8(ascii: ":")
        guard let year = number(0, 4), bytes[4] == dash, let month = number(5, 2), bytes[7] == dash,
            let day = number(8, 2), [0x54, 0x74, 0x20].contains(bytes[10]), let hour = number(11, 2),
            bytes[13] == colon, let minute = number(14, 2), bytes[16] == colon, let second = number(17, 2),
            (1...12).contains(month), day >= 1, day <= CivilTime.days(inMonth: month, year: year), hour < 24,
            minute < 60, second < 60
        else { return nil }
        var at = 19
        let nanosecond = Timestamp.fraction(bytes, &at)
        guard let nanosecond, let offset = Timestamp.zone(bytes, at) else { return nil }
        let civil = CivilTime(
            year: year, month: month, day: day, hour: hour, minute: minute, second: second, nanosecond: nanosecond)
        self.init(civil, offset: offset)
    }

    private static func fraction(_ bytes: UnsafeBufferPointer<UInt8>, _ at: inout Int) -> Int? {
        guard at < bytes.count, bytes[at] == UInt8(ascii: ".") || bytes[at] == UInt8(ascii: ",") else { return 0 }
        at += 1
        let start = at
        var value = 0
        var scale = 100_000_000
        while at < bytes.count, bytes[at] >= 48, bytes[at] <= 57 {
            value += Int(bytes[at] - 48) * scale
            scale /= 10
            at += 1
        }
        return at > start ? value : nil
    }

    private static func zone(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int32? {
        var rest = bytes[start...]
        if rest.first == UInt8(ascii: " ") { rest = rest.dropFirst() }
        guard let sign = rest.first else { return 0 }
        if rest.count == 1 { return sign == UInt8(ascii: "Z") || sign == UInt8(ascii: "z") ? 0 : nil }
        let digits = rest.dropFirst().filter { $0 != UInt8(ascii: ":") }
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), digits.count == 4,
            digits.allSatisfy({ $0 >= 48 && $0 <= 57 })
        else { return nil }
        let values = digits.map { Int32($0 - 48) }
        let seconds = (values[0] * 10 + values[1]) * 3_600 + (values[2] * 10 + values[3]) * 60
        guard seconds < 86_400 else { return nil }
        return sign == UInt8(ascii: "-") ? -seconds : seconds
    }

    private enum Fraction { case none, milliseconds, shortest }

    /// Written as bytes: databases and alerts have many times in them.
    private func text(separator: UInt8, fraction: Fraction, zone: String) -> String {
        let time = civil
        return String(unsafeUninitializedCapacity: 40 + zone.utf8.count) { buffer in
            var at = 0
            func put(_ byte: UInt8) {
                buffer[at] = byte
                at += 1
            }
            func put(_ value: Int, _ width: Int) {
                var rest = value
                for place in stride(from: at + width - 1, through: at, by: -1) {
                    buffer[place] = 48 + UInt8(truncatingIfNeeded: rest % 10)
                    rest /= 10
                }
                at += width
            }
            put(time.year, 4)
            put(UInt8(ascii: "-"))
            put(time.month, 2)
            put(UInt8(ascii: "-"))
            put(time.day, 2)
            put(separator)
            put(time.hour, 2)
            put(UInt8(ascii: ":"))
            put(time.minute, 2)
            put(UInt8(ascii: ":"))
            put(time.second, 2)
            switch fraction {
            case .none: break
            case .milliseconds:
                put(UInt8(ascii: "."))
                put(time.nanosecond / 1_000_000, 3)
            case .shortest where time.nanosecond != 0:
                put(UInt8(ascii: "."))
                put(time.nanosecond, 9)
                while buffer[at - 1] == UInt8(ascii: "0") { at -= 1 }
            case .shortest: break
            }
            for byte in zone.utf8 { put(byte) }
            return at
        }
    }

    private func clock(_ time: CivilTime) -> String {
        "\(padded(time.hour, 2)):\(padded(time.minute, 2)):\(padded(time.second, 2))"
    }

    private var rfc3339Zone: String { offset == 0 ? "Z" : numericZone(colon: true) }

    private func numericZone(colon: Bool) -> String {
        let minutes = Int(offset.magnitude) / 60
        return (offset < 0 ? "-" : "+") + padded(minutes / 60, 2) + (colon ? ":" : "") + padded(minutes % 60, 2)
    }

    private func padded(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return digits.utf8.count >= width ? digits : String(repeating: "0", count: width - digits.utf8.count) + digits
    }
}
