/// A version of an item: `0.1`, `1.10.2`, with an optional `v` and pre-release. Ordered as semantic versions are.
public struct ItemVersion: Hashable, Sendable {
    public let text: String
    private let numbers: [Int]
    /// Empty for a release.
    private let prerelease: String

    /// nil where the text is no version.
    public init?(_ text: String) {
        self.text = text
        var body = Substring(text)
        if body.first == "v" { body = body.dropFirst() }
        if let build = body.firstIndex(of: "+") { body = body[..<build] }
        let halves = body.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        prerelease = halves.count == 2 ? String(halves[1]) : ""
        let parts = halves[0].split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), halves.count == 1 || !prerelease.isEmpty else { return nil }
        var numbers: [Int] = []
        for part in parts {
            guard part.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(part) else { return nil }
            numbers.append(number)
        }
        self.numbers = numbers + Array(repeating: 0, count: 3 - numbers.count)
    }
}

extension ItemVersion: Comparable {
    public static func < (a: ItemVersion, b: ItemVersion) -> Bool {
        if a.numbers != b.numbers { return a.numbers.lexicographicallyPrecedes(b.numbers) }
        if a.prerelease.isEmpty || b.prerelease.isEmpty { return !a.prerelease.isEmpty && b.prerelease.isEmpty }
        return a.prerelease < b.prerelease
    }
}
