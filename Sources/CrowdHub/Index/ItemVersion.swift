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

    /// The first version whose first `parts` numbers are higher: 2.0.0 after 1.4.2 keeping one, 1.5.0 keeping two.
    public func next(keeping parts: Int) -> ItemVersion {
        var numbers = numbers
        let last = max(0, min(parts, 3) - 1)
        numbers[last] = numbers[last] &+ 1
        for index in (last + 1)..<max(3, last + 1) { numbers[index] = 0 }
        return ItemVersion(numbers.map { String($0) }.joined(separator: ".")) ?? self
    }
}

extension ItemVersion: Comparable {
    /// By what they mean: `1.0` is `1.0.0`.
    public static func == (a: ItemVersion, b: ItemVersion) -> Bool {
        a.numbers == b.numbers && a.prerelease == b.prerelease
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(numbers)
        hasher.combine(prerelease)
    }

    public static func < (a: ItemVersion, b: ItemVersion) -> Bool {
        if a.numbers != b.numbers { return a.numbers.lexicographicallyPrecedes(b.numbers) }
        if a.prerelease.isEmpty || b.prerelease.isEmpty { return !a.prerelease.isEmpty && b.prerelease.isEmpty }
        return a.prerelease < b.prerelease
    }
}
