import CrowdCore

/// The part of etree's paths that content uses, over a small strict XML reader (engine facts D.5, "XML paths").
enum XMLPath {
    /// The first element's text before its first child element; nil when the document or the path has none.
    static func text(_ document: ByteSlice, _ path: String) -> String? {
        element(document, path).map { $0.text }
    }

    static func attribute(_ document: ByteSlice, _ path: String, _ name: String) -> String? {
        element(document, path)?.attributes.first { $0.name == name || localName($0.name) == name }?.value
    }

    private static func element(_ document: ByteSlice, _ path: String) -> XMLElement? {
        guard let root = XMLReader.parse(document) else { return nil }
        var current = [root]
        var segments = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if segments.first == "" { segments.removeFirst() }
        var descendants = false
        for segment in segments {
            if segment.isEmpty {
                descendants = true
                continue
            }
            guard let step = XMLStep(segment) else { return nil }
            current = current.flatMap { parent in
                step.select(descendants ? parent.descendants : parent.children)
            }
            descendants = false
            if current.isEmpty { return nil }
        }
        return current.first
    }

    static func localName(_ name: String) -> String {
        name.split(separator: ":").last.map(String.init) ?? name
    }
}

/// `tag[filter]`
private struct XMLStep {
    enum Filter {
        case position(Int)
        case hasAttribute(String)
        case attribute(String, String)
        case child(String, String?)
    }
    let tag: String
    var filters: [Filter] = []

    init?(_ segment: String) {
        let parts = segment.split(separator: "[", omittingEmptySubsequences: false)
        tag = String(parts[0])
        guard !tag.isEmpty else { return nil }
        for part in parts.dropFirst() {
            guard part.hasSuffix("]") else { return nil }
            guard let filter = XMLStep.filter(String(part.dropLast())) else { return nil }
            filters.append(filter)
        }
    }

    private static func filter(_ text: String) -> Filter? {
        if let position = Int(text) { return .position(position) }
        let sides = text.split(separator: "=", maxSplits: 1).map(String.init)
        var value: String?
        if sides.count == 2 {
            guard let quote = sides[1].first, quote == "'" || quote == "\"", sides[1].count >= 2, sides[1].last == quote
            else { return nil }
            value = String(sides[1].dropFirst().dropLast())
        }
        guard let name = sides.first, !name.isEmpty else { return nil }
        guard name.hasPrefix("@") else { return .child(name, value) }
        let attribute = String(name.dropFirst())
        return value.map { .attribute(attribute, $0) } ?? .hasAttribute(attribute)
    }

    func select(_ candidates: [XMLElement]) -> [XMLElement] {
        var chosen = candidates.filter { tag == "*" || $0.name == tag || XMLPath.localName($0.name) == tag }
        for filter in filters {
            switch filter {
            case .position(let position):
                let index = position > 0 ? position - 1 : chosen.count + position
                chosen = chosen.indices.contains(index) ? [chosen[index]] : []
            case .hasAttribute(let name): chosen = chosen.filter { $0.has(name) != nil }
            case .attribute(let name, let value): chosen = chosen.filter { $0.has(name) == value }
            case .child(let name, let value):
                chosen = chosen.filter { element in
                    if name == "text()" { return element.text == value }
                    return element.children.contains {
                        XMLPath.localName($0.name) == name && (value == nil || $0.text == value)
                    }
                }
            }
        }
        return chosen
    }
}

final class XMLElement {
    let name: String
    var attributes: [(name: String, value: String)] = []
    var children: [XMLElement] = []
    /// Text before the first child element.
    var text = ""

    init(_ name: String) { self.name = name }

    func has(_ attribute: String) -> String? { attributes.first { $0.name == attribute }?.value }
    var descendants: [XMLElement] { children.flatMap { [$0] + $0.descendants } }
}

/// Reads an XML document into elements. Strict on nesting; entities are the five of XML and numbers; no DTD.
struct XMLReader {
    private static let maxDepth = 64
    private let bytes: ByteSlice
    private var at = 0

    /// A nameless element that holds the document's root.
    static func parse(_ document: ByteSlice) -> XMLElement? {
        var reader = XMLReader(bytes: document)
        let root = XMLElement("")
        var open = [root]
        while reader.at < document.count {
            guard reader.step(&open) else { return nil }
        }
        return open.count == 1 && !root.children.isEmpty ? root : nil
    }

    private init(bytes: ByteSlice) { self.bytes = bytes }

    private func starts(_ text: StaticString) -> Bool {
        bytes[at..<bytes.count].hasPrefix(ByteSlice(text))
    }

    private mutating func skip(past text: StaticString) -> Bool {
        let part = ByteSlice(text)
        guard let end = bytes.find(part, from: at) else { return false }
        at = end + part.count
        return true
    }

    private mutating func step(_ open: inout [XMLElement]) -> Bool {
        if starts("<!--") { return skip(past: "-->") }
        if starts("<![CDATA[") {
            let start = at + 9
            guard skip(past: "]]>") else { return false }
            if let element = open.last, element.children.isEmpty { element.text += String(bytes[start..<(at - 3)]) }
            return true
        }
        if starts("<?") { return skip(past: "?>") }
        if starts("<!") { return skip(past: ">") }
        if starts("</") {
            let start = at + 2
            guard skip(past: ">"), open.count > 1 else { return false }
            return open.removeLast().name == String(Texts.trim(bytes[start..<(at - 1)], nil))
        }
        if starts("<") { return element(&open) }
        let end = bytes.find(ByteSlice("<"), from: at) ?? bytes.count
        if let element = open.last, open.count > 1, element.children.isEmpty {
            element.text += XMLReader.resolved(String(bytes[at..<end]))
        }
        at = end
        return true
    }

    private mutating func element(_ open: inout [XMLElement]) -> Bool {
        at += 1
        guard let name = name(), open.count <= XMLReader.maxDepth, let parent = open.last else { return false }
        let element = XMLElement(name)
        parent.children.append(element)
        while true {
            skipBlanks()
            guard at < bytes.count else { return false }
            if bytes[at] == UInt8(ascii: ">") {
                at += 1
                open.append(element)
                return true
            }
            if starts("/>") {
                at += 2
                return true
            }
            guard let attribute = attribute() else { return false }
            element.attributes.append(attribute)
        }
    }

    private mutating func attribute() -> (String, String)? {
        guard let name = name() else { return nil }
        skipBlanks()
        guard at < bytes.count, bytes[at] == UInt8(ascii: "=") else { return nil }
        at += 1
        skipBlanks()
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") || bytes[at] == UInt8(ascii: "'") else { return nil }
        let quote = bytes[at]
        let start = at + 1
        guard let length = bytes[start..<bytes.count].firstIndex(of: quote) else { return nil }
        at = start + length + 1
        return (name, XMLReader.resolved(String(bytes[start..<(at - 1)])))
    }

    private mutating func name() -> String? {
        let start = at
        while at < bytes.count, bytes[at] > 32, !"<>/=\"'".utf8.contains(bytes[at]) { at += 1 }
        return at > start ? String(bytes[start..<at]) : nil
    }

    private mutating func skipBlanks() {
        while at < bytes.count, bytes[at] <= 32 { at += 1 }
    }

    private static func resolved(_ text: String) -> String {
        guard text.contains("&") else { return text }
        var result = ""
        var rest = text[...]
        while let mark = rest.firstIndex(of: "&") {
            result += rest[..<mark]
            rest = rest[mark...]
            guard let end = rest.prefix(12).firstIndex(of: ";"),
                let character = entity(rest[rest.index(after: mark)..<end])
            else {
                result += "&"
                rest = rest.dropFirst()
                continue
            }
            result.append(character)
            rest = rest[rest.index(after: end)...]
        }
        return result + rest
    }

    private static func entity(_ name: Substring) -> Character? {
        switch name {
        case "lt": return "<"
        case "gt": return ">"
        case "amp": return "&"
        case "quot": return "\""
        case "apos": return "'"
        default: break
        }
        guard name.hasPrefix("#") else { return nil }
        let digits = name.dropFirst()
        let code = digits.hasPrefix("x") ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
        return code.flatMap(Unicode.Scalar.init).map(Character.init)
    }
}
