import CrowdCore

/// A syslog message as RFC 3164 or RFC 5424 have it, read from bytes that anybody may send.
///
/// Nothing is copied: the parts are slices of the datagram.
struct SyslogMessage {
    enum Format: String { case rfc3164, rfc5424 }

    var format: Format
    /// Nil where the message tells none.
    var time: CivilTime?
    var host = ByteSlice.empty
    var tag = ByteSlice.empty
    var pid = ByteSlice.empty
    var message = ByteSlice.empty

    /// Tries RFC 3164 first, as the reference does.
    init?(_ bytes: ByteSlice) {
        var text = SyslogText(bytes)
        guard text.priority() != nil else { return nil }
        if let old = SyslogMessage(rfc3164: text) {
            self = old
        } else if let new = SyslogMessage(rfc5424: text) {
            self = new
        } else {
            return nil
        }
    }

    /// `Nov 21 15:04:05 host tag[pid]: message`; version 1 of RFC 5424 begins otherwise.
    private init?(rfc3164 text: SyslogText) {
        var text = text
        guard !text.rest.hasPrefix(ByteSlice("1 ")) else { return nil }
        format = .rfc3164
        time = text.bsdTime() ?? text.isoTime()
        guard time != nil else { return nil }
        text.skipSpaces()
        // A host is a word that is no tag: those end in a colon or a bracket.
        let word = text.peekWord()
        if !word.isEmpty, word[word.count - 1] != UInt8(ascii: ":"), word.firstIndex(of: UInt8(ascii: "[")) == nil {
            host = word
            text.skip(word.count)
            text.skipSpaces()
        }
        (tag, pid) = text.tag()
        message = text.rest
        guard !(tag.isEmpty && message.isEmpty) else { return nil }
    }

    /// `1 TIME HOST APP PROCID MSGID STRUCTURED-DATA MESSAGE`, `-` for what is not there.
    private init?(rfc5424 text: SyslogText) {
        var text = text
        guard text.rest.hasPrefix(ByteSlice("1 ")) else { return nil }
        format = .rfc5424
        text.skip(2)
        if text.peekWord() == ByteSlice("-") { text.skip(1) } else { time = text.isoTime() }
        var fields: [ByteSlice] = []
        for _ in 0..<4 {
            text.skipSpaces()
            let word = text.peekWord()
            guard !word.isEmpty else { return nil }
            fields.append(word == ByteSlice("-") ? .empty : word)
            text.skip(word.count)
        }
        (host, tag, pid) = (fields[0], fields[1], fields[2])
        text.skipSpaces()
        guard text.skipStructuredData() else { return nil }
        text.skipSpaces()
        // A byte order mark announces UTF-8.
        if text.rest.hasPrefix(ByteSlice("\u{FEFF}")) { text.skip(3) }
        message = text.rest
    }

    /// Appends `Nov 21 15:04:05 HOST TAG[PID]: MESSAGE`, what the hub's syslog parser reads.
    func write(to line: inout [UInt8], now: Timestamp) {
        let time = time ?? CivilTime(epochSeconds: now.nanoseconds / 1_000_000_000)
        line.append(contentsOf: SyslogText.months[time.month - 1].utf8)
        line.append(32)
        Self.write(time.day, pad: 32, to: &line)
        for (lead, number) in [(UInt8(32), time.hour), (58, time.minute), (58, time.second)] {
            line.append(lead)
            Self.write(number, pad: 48, to: &line)
        }
        line.append(32)
        if host.isEmpty { line.append(contentsOf: "unknownhost".utf8) } else { line += host.buffer }
        line.append(32)
        line += tag.buffer
        if !pid.isEmpty {
            line.append(UInt8(ascii: "["))
            line += pid.buffer
            line.append(UInt8(ascii: "]"))
        }
        line.append(UInt8(ascii: ":"))
        line.append(32)
        line += message.buffer
    }

    /// Two digits, or one behind `pad`.
    private static func write(_ number: Int, pad: UInt8, to line: inout [UInt8]) {
        line.append(number < 10 ? pad : UInt8(truncatingIfNeeded: 48 + number / 10))
        line.append(UInt8(truncatingIfNeeded: 48 + number % 10))
    }
}

/// A place in a message.
struct SyslogText {
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    private static let monthNames: [ByteSlice] = [
        ByteSlice("Jan"), ByteSlice("Feb"), ByteSlice("Mar"), ByteSlice("Apr"), ByteSlice("May"), ByteSlice("Jun"),
        ByteSlice("Jul"), ByteSlice("Aug"), ByteSlice("Sep"), ByteSlice("Oct"), ByteSlice("Nov"), ByteSlice("Dec"),
    ]

    private(set) var rest: ByteSlice

    init(_ bytes: ByteSlice) {
        rest = bytes
        while rest.count > 0, rest[rest.count - 1] == 10 || rest[rest.count - 1] == 13 || rest[rest.count - 1] == 0 {
            rest = rest[0..<(rest.count - 1)]
        }
    }

    mutating func skip(_ count: Int) { rest = rest[min(count, rest.count)..<rest.count] }
    mutating func skipSpaces() { while rest.count > 0, rest[0] == 32 { skip(1) } }

    func peekWord() -> ByteSlice { rest[0..<(rest.firstIndex(of: 32) ?? rest.count)] }

    /// `<0>` to `<191>`.
    mutating func priority() -> Int? {
        guard rest.count > 2, rest[0] == UInt8(ascii: "<"), let end = rest.firstIndex(of: UInt8(ascii: ">")),
            (2...4).contains(end), let number = Int(String(rest[1..<end])), (0...191).contains(number)
        else { return nil }
        skip(end + 1)
        return number
    }

    /// `Nov 21 15:04:05` or `Nov 21 2026 15:04:05`; the year is this one where there is none.
    mutating func bsdTime() -> CivilTime? {
        var text = self
        guard let month = text.month(), let day = text.number(digits: 1...2), (1...31).contains(day) else { return nil }
        var year: Int?
        if text.peekWord().count == 4 {
            year = text.number(digits: 4...4)
            guard year != nil else { return nil }
        }
        guard let (hour, minute, second) = text.clock() else { return nil }
        self = text
        return CivilTime(
            year: year ?? CivilTime(epochSeconds: Timestamp.now().nanoseconds / 1_000_000_000).year, month: month,
            day: day, hour: hour, minute: minute, second: second)
    }

    /// The next word, with the spaces before it.
    private mutating func word() -> ByteSlice {
        skipSpaces()
        let word = peekWord()
        skip(word.count)
        return word
    }

    private mutating func month() -> Int? {
        let word = word()
        return word.count == 3 ? Self.monthNames.firstIndex(of: word).map { $0 + 1 } : nil
    }

    private mutating func number(digits: ClosedRange<Int>) -> Int? {
        let word = word()
        skipSpaces()
        return digits.contains(word.count) ? Self.number(word) : nil
    }

    private static func number(_ word: ByteSlice) -> Int? {
        var number = 0
        for byte in word.buffer {
            guard (48...57).contains(byte) else { return nil }
            number = number * 10 + Int(byte - 48)
        }
        return number
    }

    private mutating func clock() -> (Int, Int, Int)? {
        let word = word()
        guard word.count == 8, word[2] == UInt8(ascii: ":"), word[5] == UInt8(ascii: ":"),
            let hour = Self.number(word[0..<2]), let minute = Self.number(word[3..<5]),
            let second = Self.number(word[6..<8]), hour < 24, minute < 60, second <= 60
        else { return nil }
        return (hour, minute, second)
    }

    /// RFC 3339, as its own clock shows it.
    mutating func isoTime() -> CivilTime? {
        let word = peekWord()
        guard word.count >= 20, Timestamp(rfc3339Bytes: word.buffer) != nil else { return nil }
        func number(_ range: Range<Int>) -> Int { Int(String(word[range])) ?? 0 }
        skip(word.count)
        return CivilTime(
            year: number(0..<4), month: number(5..<7), day: number(8..<10), hour: number(11..<13),
            minute: number(14..<16), second: number(17..<19))
    }

    /// `tag[pid]:` or `tag:`; both empty when the text does not begin so.
    mutating func tag() -> (tag: ByteSlice, pid: ByteSlice) {
        let word = peekWord()
        guard let colon = word.firstIndex(of: UInt8(ascii: ":")), colon <= 64 + 12 else { return (.empty, .empty) }
        var tag = word[0..<colon]
        var pid = ByteSlice.empty
        if let open = tag.firstIndex(of: UInt8(ascii: "[")), tag[tag.count - 1] == UInt8(ascii: "]") {
            pid = tag[(open + 1)..<(tag.count - 1)]
            tag = tag[0..<open]
        }
        guard !tag.isEmpty else { return (.empty, .empty) }
        skip(colon + 1)
        skipSpaces()
        return (tag, pid)
    }

    /// `-` or `[id name="value" …]…`; quotes and brackets in values are escaped. False when it does not end.
    mutating func skipStructuredData() -> Bool {
        guard rest.count > 0 else { return true }
        if rest[0] == UInt8(ascii: "-") {
            skip(1)
            return true
        }
        while rest.count > 0, rest[0] == UInt8(ascii: "[") {
            var (at, isQuoted) = (1, false)
            while at < rest.count, isQuoted || rest[at] != UInt8(ascii: "]") {
                if rest[at] == UInt8(ascii: "\\"), isQuoted {
                    at += 1
                } else if rest[at] == UInt8(ascii: "\"") {
                    isQuoted.toggle()
                }
                at += 1
            }
            guard at < rest.count else { return false }
            skip(at + 1)
        }
        return true
    }
}
