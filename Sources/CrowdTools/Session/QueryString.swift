/// Builds the query of a request: values are escaped, empty ones left out.
struct QueryString {
    private(set) var text = ""

    mutating func add(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        text += (text.isEmpty ? "?" : "&") + name + "=" + Self.escape(value)
    }

    static func escape(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                out.append(Character(Unicode.Scalar(byte)))
            default:
                out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
