/// Where decisions come from, numbered in order of appearance: the number stands in for the name in every ban.
struct OriginTable: Sendable {
    struct Origin: Hashable, Sendable {
        /// As metrics show it: `crowdsec`, `CAPI`, `lists:firehol`.
        var label: String
        /// As set names carry it: `lists-firehol`, without bytes that nft does not take.
        var name: String
    }

    private(set) var all: [Origin] = []
    private var numbers: [String: Int] = [:]

    init() {}

    subscript(_ number: Int) -> Origin { all[number] }

    /// The number of a decision's origin; lists count one by one, by the list's name in `scenario`.
    mutating func number(origin: String, scenario: String) -> Int {
        let label = origin == "lists" && !scenario.isEmpty ? "lists:\(scenario)" : origin
        if let known = numbers[label] { return known }
        let plain = origin == "lists" && !scenario.isEmpty ? "lists-\(scenario)" : origin
        let origin = Origin(label: label, name: SetName.sanitised(plain))
        guard let adopted = all.firstIndex(where: { $0.name == origin.name }) else { return add(origin) }
        // Found in the kernel before its real label was known.
        all[adopted] = origin
        numbers[label] = adopted
        return adopted
    }

    /// The number of an origin known only by a set's name, found in the kernel at start.
    mutating func number(name: String) -> Int {
        if let known = all.firstIndex(where: { $0.name == name }) { return known }
        let label = name.hasPrefix("lists-") ? "lists:\(name.dropFirst(6))" : name
        if let known = numbers[label] { return known }
        return add(Origin(label: label, name: name))
    }

    private mutating func add(_ origin: Origin) -> Int {
        all.append(origin)
        numbers[origin.label] = all.count - 1
        return all.count - 1
    }
}

/// Names of kernel sets (protocol facts F.4, trap 32).
enum SetName {
    static let rangeSuffix = "-ranges"
    /// The kernel's limit is 255; what is left is for the prefix and the suffix.
    private static let longest = 160

    /// `origin` in letters that nft takes. One that had to be changed gets a checksum, so that two never share a set.
    static func sanitised(_ origin: String) -> String {
        let kept = String(
            decoding: origin.utf8.prefix(longest).map { byte -> UInt8 in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    byte
                default: UInt8(ascii: "_")
                }
            }, as: UTF8.self)
        if kept == origin && !kept.isEmpty && !kept.hasSuffix(rangeSuffix) { return kept }
        let sum = origin.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return kept + "-" + String(sum, radix: 16)
    }

    static func hosts(prefix: String, origin: String) -> String { "\(prefix)-\(origin)" }
    static func ranges(prefix: String, origin: String) -> String { "\(prefix)-\(origin)\(rangeSuffix)" }

    /// The origin that a kernel set's name stands for; `nil` if the set is not one of ours.
    static func origin(of name: String, prefix: String) -> String? {
        guard name.hasPrefix(prefix + "-") else { return nil }
        let rest = name.dropFirst(prefix.count + 1)
        let origin = rest.hasSuffix(rangeSuffix) ? rest.dropLast(rangeSuffix.count) : rest
        return origin.isEmpty ? nil : String(origin)
    }
}
