internal import Glibc

/// `$NAME` and `${NAME}` are replaced only where the variable exists; anything else stays as it is written, so
/// passwords that contain `$` survive (surface facts B.1).
public struct EnvironmentExpansion: Sendable {
    private let lookUp: @Sendable (String) -> String?

    /// Over the process's own environment.
    public static let process = EnvironmentExpansion { name in getenv(name).map { String(cString: $0) } }

    public init(_ lookUp: @escaping @Sendable (String) -> String?) { self.lookUp = lookUp }

    public func callAsFunction(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
        var out: [UInt8] = []
        var rest = Substring(text).utf8
        while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
            out.append(contentsOf: rest[..<dollar])
            rest = rest[rest.index(after: dollar)...]
            if let (name, end) = Self.name(in: rest), let value = lookUp(name) {
                out.append(contentsOf: value.utf8)
                rest = rest[end...]
            } else {
                out.append(UInt8(ascii: "$"))
            }
        }
        out.append(contentsOf: rest)
        return String(decoding: out, as: UTF8.self)
    }

    /// Every scalar expanded. An unquoted one that becomes a flow list, a flow mapping or a quoted string is read as
    /// that, as if the text of the file had been expanded; the other values need no quoting.
    public func callAsFunction(_ node: YAMLNode) -> YAMLNode {
        var result = node
        switch node.content {
        case .scalar(let text, let plain):
            let expanded = self(text)
            guard expanded != text else { return node }
            result.content = .scalar(text: expanded, plain: plain)
            return plain ? Self.structured(expanded, at: node.mark) ?? result : result
        case .sequence(let items): result.content = .sequence(items.map { self($0) })
        case .mapping(let pairs): result.content = .mapping(pairs.map { (self($0.key), self($0.value)) })
        }
        return result
    }

    private static func structured(_ text: String, at mark: SourceMark) -> YAMLNode? {
        guard let first = text.utf8.first, "[{\"'".utf8.contains(first) else { return nil }
        var node = try? YAML.document(Array(text.utf8), file: mark.file)
        node?.mark = mark
        return node
    }

    private static func name(in text: Substring.UTF8View) -> (String, Substring.Index)? {
        let braced = text.first == UInt8(ascii: "{")
        let start = braced ? text.index(after: text.startIndex) : text.startIndex
        var end = start
        while end < text.endIndex, isNameByte(text[end], first: end == start) { end = text.index(after: end) }
        guard end > start, let name = String(text[start..<end]) else { return nil }
        guard braced else { return (name, end) }
        guard end < text.endIndex, text[end] == UInt8(ascii: "}") else { return nil }
        return (name, text.index(after: end))
    }

    private static func isNameByte(_ byte: UInt8, first: Bool) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): !first
        default: false
        }
    }
}
