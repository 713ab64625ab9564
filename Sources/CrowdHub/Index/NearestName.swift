/// The name that was probably meant.
public enum NearestName {
    /// Farther than this, a name is another name.
    static let maxDistance = 7

    public static func to(_ wanted: String, among names: some Sequence<String>) -> String? {
        var best: (name: String, distance: Int)?
        for name in names {
            let distance = distance(Array(wanted.utf8), Array(name.utf8))
            guard distance < maxDistance else { continue }
            guard let known = best else {
                best = (name, distance)
                continue
            }
            if distance < known.distance || distance == known.distance && name < known.name { best = (name, distance) }
        }
        return best?.name
    }

    public static func distance(from one: String, to other: String) -> Int {
        distance(Array(one.utf8), Array(other.utf8))
    }

    /// Levenshtein's, by bytes: O(a · b) time, O(b) space.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        guard abs(a.count - b.count) < maxDistance else { return max(a.count, b.count) }
        var row = Array(0...b.count)
        for (i, x) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, y) in b.enumerated() {
                let substituted = diagonal + (x == y ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}
