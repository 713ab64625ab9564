public import CrowdCore

/// Values as text, as Go prints them.
public enum Printing {
    /// `fmt.Sprint`'s `%v`.
    public static func plain(_ value: Value) -> String {
        switch value {
        case .null: "<nil>"
        case .bool(let bool): bool ? "true" : "false"
        case .int(let number): String(number)
        case .float(let number): float(number)
        case .string(let text): String(text)
        case .list(let list): "[" + list.items.map(plain).joined(separator: " ") + "]"
        case .map(let map): "map[" + sortedEntries(map).map { "\($0):\(plain($1))" }.joined(separator: " ") + "]"
        case .time(let time): time.goString
        case .duration(let span): span.description
        case .object(let object): (object as? NamedNumber)?.name ?? object.type.name
        }
    }

    /// `%f`: what a static makes of a float.
    public static func sixDecimals(_ number: Double) -> String { FloatText.fixedSix(number) }

    /// The same without making a String, for numbers of which a multiplication leaves no doubt how they are rounded:
    /// coordinates, for one.
    public static func sixDecimals(_ number: Double, _ arena: Arena) -> ByteSlice {
        let millionths = number.magnitude * 1e6
        let whole = millionths.rounded()
        guard millionths < 1e12, (millionths - whole).magnitude < 0.4 else { return arena.copy(sixDecimals(number)) }
        return FloatText.fixedSix(millionths: UInt64(whole), isNegative: number.sign == .minus, arena)
    }

    static func sortedEntries(_ map: MapValue) -> [(ByteSlice, Value)] {
        zip(map.keys, map.values).sorted { $0.0 < $1.0 }
    }

    /// `%v` of a float: the shortest `%g`, in exponent form below 1e-4 and from 1e6 on.
    static func float(_ number: Double) -> String { FloatText.general(number, exponentFrom: 6) }
}

/// Doubles as the shortest text that reads back the same.
enum FloatText {
    /// Digits and decimal exponent: `d.ddd × 10^exponent`.
    private static func shortest(_ number: Double) -> (digits: [UInt8], exponent: Int) {
        // Swift prints the shortest digits too, in one of two shapes.
        var digits: [UInt8] = []
        var exponent = 0
        var (seenPoint, pointAt) = (false, 0)
        let text = Array("\(number.magnitude)".utf8)
        var at = 0
        while at < text.count, text[at] != UInt8(ascii: "e") {
            if text[at] == UInt8(ascii: ".") {
                (seenPoint, pointAt) = (true, digits.count)
            } else {
                digits.append(text[at])
            }
            at += 1
        }
        if !seenPoint { pointAt = digits.count }
        if at < text.count { exponent = Int(String(decoding: text[(at + 1)...], as: UTF8.self)) ?? 0 }
        let leading = digits.prefix { $0 == 48 }.count
        if leading == digits.count { return ([48], 0) }
        digits.removeFirst(leading)
        exponent += pointAt - leading - 1
        while digits.count > 1, digits.last == 48 { digits.removeLast() }
        return (digits, exponent)
    }

    /// Go's `%g`-like text: exponent form when the decimal exponent is below -4 or at least `exponentFrom`.
    static func general(_ number: Double, exponentFrom: Int, exponentBelow: Int = -4) -> String {
        guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf" }
        let (digits, exponent) = shortest(number)
        let sign = number.sign == .minus ? "-" : ""
        if exponent < exponentBelow || exponent >= exponentFrom {
            let rest = digits.count > 1 ? "." + String(decoding: digits[1...], as: UTF8.self) : ""
            let size = exponent.magnitude
            return sign + String(decoding: digits[..<1], as: UTF8.self) + rest + "e" + (exponent < 0 ? "-" : "+")
                + (size < 10 ? "0" : "") + "\(size)"
        }
        return sign + fixed(digits, exponent)
    }

    private static func fixed(_ digits: [UInt8], _ exponent: Int) -> String {
        if exponent < 0 {
            return "0." + String(repeating: "0", count: -exponent - 1) + String(decoding: digits, as: UTF8.self)
        }
        if digits.count <= exponent + 1 {
            return String(decoding: digits, as: UTF8.self) + String(repeating: "0", count: exponent + 1 - digits.count)
        }
        return String(decoding: digits[...exponent], as: UTF8.self) + "."
            + String(decoding: digits[(exponent + 1)...], as: UTF8.self)
    }

    /// encoding/json: plain digits between 1e-6 and 1e21.
    static func json(_ number: Double) -> String {
        let text = general(number, exponentFrom: 21, exponentBelow: -6)
        // JSON writes e-07 as e-7.
        return text.contains("e-0") ? text.split(separator: "e-0").joined(separator: "e-") : text
    }

    /// Go's `%f`: six decimals.
    static func fixedSix(_ number: Double) -> String {
        guard number.isFinite else { return number.isNaN ? "NaN" : number < 0 ? "-Inf" : "+Inf" }
        return fixed(number, decimals: 6)
    }

    static func fixedSix(millionths: UInt64, isNegative: Bool, _ arena: Arena) -> ByteSlice {
        let room = arena.allocate(24)
        var (at, rest, digits) = (24, millionths, 0)
        while rest > 0 || digits < 7 {
            if digits == 6 {
                at -= 1
                room[at] = UInt8(ascii: ".")
            }
            at -= 1
            room[at] = 48 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
            digits += 1
        }
        if isNegative {
            at -= 1
            room[at] = UInt8(ascii: "-")
        }
        return ByteSlice(base: room + at, count: 24 - at)
    }

    static func fixed(_ number: Double, decimals: Int) -> String { CFormat.fixed(number, decimals: decimals) }
}
