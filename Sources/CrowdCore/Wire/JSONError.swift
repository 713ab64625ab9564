/// Why a text is not the JSON that was asked for; `offset` counts bytes from the start of the text.
///
/// The descriptions follow the words of Go's decoder, which operators of CrowdSec know and scripts match.
public enum JSONError: Error, Equatable, Sendable {
    /// The text holds no value at all.
    case empty
    /// The text ends inside a value.
    case truncated
    /// A byte that cannot stand here; `context` says what was being read.
    case unexpected(byte: UInt8, offset: Int, context: String)
    /// More than `limit` containers inside each other.
    case tooDeep(limit: Int)
    /// More than `limit` values in all.
    case tooMany(limit: Int)
    /// A value of another kind than the reader asked for.
    case mismatch(found: String, expected: String, offset: Int)
    /// A number that does not fit the asked type.
    case outOfRange(text: String, offset: Int)
}

extension JSONError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .empty: "EOF"
        case .truncated: "unexpected EOF"
        case .unexpected(let byte, _, let context): "invalid character \(Self.quoted(byte)) \(context)"
        case .tooDeep(let limit): "exceeded max depth of \(limit)"
        case .tooMany(let limit): "more than \(limit) values"
        case .mismatch(let found, let expected, let offset):
            "json: cannot unmarshal \(found) into \(expected) at offset \(offset)"
        case .outOfRange(let text, let offset): "json: number \(text) is out of range at offset \(offset)"
        }
    }

    private static func quoted(_ byte: UInt8) -> String {
        switch byte {
        case 0x0A: "'\\n'"
        case 0x0D: "'\\r'"
        case 0x09: "'\\t'"
        case 0x27: "'\\''"
        case 0x20..<0x7F: "'\(Character(Unicode.Scalar(byte)))'"
        default: "'\\x\(String(byte >> 4, radix: 16))\(String(byte & 15, radix: 16))'"
        }
    }
}
