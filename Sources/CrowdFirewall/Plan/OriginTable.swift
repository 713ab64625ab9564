/// Where decisions come from, numbered in order of appearance: the number stands in for the name in every ban.
struct OriginTable: Sendable {
    struct Origin: Hashable, Sendable {
        /// As metrics show it: `crowdsec`, `CAPI`, `lists:firehol`.
        var label: String
        /// As set names carry it: `lists-firehol`, without bytes that nft does not take.
        var name: String
    }

    /// Each costs two sets and two rules per chain: what comes beyond shares one origin, `rest`.
    static let limit = 250
    static let rest = Origin(label: "others", name: "others")
    private static let longestLabel = 256

    private(set) var all: [Origin] = []
    private var numbers: [String: Int] = [:]
    let longestName: Int

    init(longestName: Int = SetName.longest) { self.longestName = longestName }

    subscript(_ number: Int) -> Origin { all[number] }

    /// The number of a decision's origin; lists count one by one, by the list's name in `scenario`.
    mutating func number(origin: String, scenario: String) -> Int {
        let isList = origin == "lists" && !scenario.isEmpty
        let label = isList ? "lists:\(scenario)" : origin
        if let known = numbers[label] { return known }
        let name = SetName.sanitised(isList ? "lists-\(scenario)" : origin, longest: longestName)
        return number(label: label.utf8.count > Self.longestLabel ? name : label, name: name)
    }

    /// The number of an origin known only by a set's name, found in the kernel at start.
    mutating func number(name: String) -> Int {
        if let known = all.firstIndex(where: { $0.name == name }) { return known }
        let label = name.hasPrefix("lists-") ? "lists:\(name.dropFirst(6))" : name
        if let known = numbers[label] { return known }
        return add(Origin(label: label, name: name))
    }

    /// The number of an origin of another table, which may be one that was found in the kernel.
    mutating func number(label: String, name: String) -> Int {
        if let known = numbers[label] { return known }
        let origin = Origin(
            label: label, name: name.utf8.count <= longestName ? name : SetName.sanitised(label, longest: longestName))
        // It may have been found in the kernel before its real label was known.
        guard let adopted = all.firstIndex(where: { $0.name == origin.name }) else { return add(origin) }
        all[adopted] = origin
        numbers[label] = adopted
        return adopted
    }

    private mutating func add(_ origin: Origin) -> Int {
        if all.count >= Self.limit && origin != Self.rest { return numbers[Self.rest.label] ?? add(Self.rest) }
        all.append(origin)
        numbers[origin.label] = all.count - 1
        return all.count - 1
    }
}

/// Names of kernel sets (protocol facts F.4, trap 32).
enum SetName {
    static let rangeSuffix = "-ranges"
    /// The kernel's limit is 255; what is left is for the prefix, a checksum and the suffix.
    static let longest = 160

    /// `origin` in letters that nft and ipset take. One that had to be changed gets a checksum, so that two never share
    /// a set.
    static func sanitised(_ origin: String, longest: Int = SetName.longest) -> String {
        let plain = String(decoding: origin.utf8.map(letter), as: UTF8.self)
        let isReserved = plain.hasSuffix(rangeSuffix) || plain.hasSuffix("-r")
        if plain == origin && !plain.isEmpty && !isReserved && plain.utf8.count <= longest { return plain }
        let sum = checksum(origin, digits: longest < 64 ? 8 : 16)
        let kept = String(decoding: plain.utf8.prefix(max(0, longest - sum.utf8.count - 1)), as: UTF8.self)
        return (kept.isEmpty ? "" : kept + "-") + sum
    }

    private static func letter(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
            byte
        default: UInt8(ascii: "_")
        }
    }

    private static func checksum(_ text: String, digits: Int) -> String {
        let sum = text.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        let hex = String(digits == 8 ? (sum ^ sum >> 32) & 0xFFFF_FFFF : sum, radix: 16)
        return String(repeating: "0", count: digits - hex.count) + hex
    }
}
