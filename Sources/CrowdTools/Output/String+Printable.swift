extension String {
    /// Without what makes a terminal do something: what is shown here was written by attackers. Line feeds and tabs stay,
    /// other control characters are named, `\x1b`.
    var printable: String {
        guard utf8.contains(where: { $0 < 0x20 && $0 != 0x0A && $0 != 0x09 || $0 == 0x7F || $0 == 0xC2 }) else {
            return self
        }
        return unicodeScalars.reduce(into: "") { text, scalar in
            switch scalar.value {
            case 0x09, 0x0A: text.unicodeScalars.append(scalar)
            case 0..<0x20, 0x7F..<0xA0:
                let digits = String(scalar.value, radix: 16)
                text += "\\x" + (digits.count == 1 ? "0" : "") + digits
            default: text.unicodeScalars.append(scalar)
            }
        }
    }
}
