import CrowdCore
import CrowdText
import Testing

@Suite("Needles") struct NeedleTests {
    struct Search: CustomTestStringConvertible, Sendable {
        var needles: [[String]]
        var text: String
        /// Which of the lists have a needle in the text.
        var found: [Int]
        var testDescription: String { "\(needles) in \(text)" }
    }

    @Test(arguments: [
        Search(needles: [["he", "she"], ["his"], ["hers"]], text: "ushers", found: [0, 2]),
        Search(needles: [["/.git/"], [".env"]], text: "/a/.GIT/config", found: [0]),
        Search(needles: [["${jndi:"], ["%24%7b"]], text: "/?x=${JNDI:ldap}", found: [0]),
        Search(needles: [["${jndi:"]], text: "Mozilla/5.0 (X11; Linux x86_64)", found: []),
        Search(needles: [["aaa"], ["aa"], ["a"]], text: "baab", found: [1, 2]),
        Search(needles: [["abcabd"]], text: "abcabcabd", found: [0]),
        Search(needles: [["é"]], text: "café", found: [0]),
        // Of a long needle the last bytes count.
        Search(needles: [[String(repeating: "x", count: 40) + ".php"]], text: "x.php", found: []),
        Search(needles: [["x"]], text: "", found: []),
    ])
    func finds(_ search: Search) {
        let lists = search.needles.map { $0.map { Immortal.copy($0) } }
        var trie = NeedleTrie()
        for (number, list) in lists.enumerated() {
            let isAdded = trie.add(list, number: number)
            #expect(isAdded)
        }
        let automaton = trie.automaton()
        var bits: UInt64 = 0
        var text = search.text
        text.withUTF8 { _ = automaton.search(ByteSlice($0), into: &bits) }
        #expect((0..<lists.count).filter { bits & (1 << UInt64($0)) != 0 } == search.found)
    }

    @Test func agreesWithLookingForEach() {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array("abAB./%$-é".utf8)
        func word(_ longest: Int) -> [UInt8] {
            (0..<Int.random(in: 1...longest, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 97 }
        }
        for _ in 0..<300 {
            let needles = (0..<Int.random(in: 1...80, using: &random)).map { _ in word(5) }
            var trie = NeedleTrie()
            for (number, needle) in needles.enumerated() {
                needle.withUnsafeBufferPointer { _ = trie.add([ByteSlice($0)], number: number) }
            }
            let automaton = trie.automaton()
            for _ in 0..<20 {
                let text = word(40)
                var bits: [UInt64] = [0, 0]
                text.withUnsafeBufferPointer { _ = automaton.search(ByteSlice($0), into: &bits) }
                for (number, needle) in needles.enumerated() {
                    let isFound = bits[number >> 6] & (1 << UInt64(number & 63)) != 0
                    #expect(isFound == NeedleTests.holds(text, needle), "\(needle) in \(text)")
                }
            }
        }
    }

    private static func holds(_ text: [UInt8], _ needle: [UInt8]) -> Bool {
        func fold(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte + 32 : byte }
        let (text, needle) = (text.map(fold), needle.map(fold))
        return text.indices.contains { text[$0...].starts(with: needle) }
    }

    @Test(
        arguments: [
            ("nothing here", []), ("50%", [.percent]), ("a+b", [.plus]), ("ſ", [.nonASCII]),
            ("ä%+", [.nonASCII, .percent, .plus]),
        ] as [(String, NeedleAutomaton.Marks)])
    func marks(_ text: String, _ marks: NeedleAutomaton.Marks) {
        var trie = NeedleTrie()
        _ = trie.add([ByteSlice("$")], number: 0)
        let automaton = trie.automaton()
        var (bits, text): (UInt64, String) = (0, text)
        #expect(text.withUTF8 { automaton.search(ByteSlice($0), into: &bits) } == marks)
    }

    @Test func thereIsAnEndToWhatIsTaken() {
        var trie = NeedleTrie()
        let many = (0..<2_000).map { Immortal.copy("needle number \($0) of very many") }
        let isTooMuch = !trie.add(many, number: 0)
        #expect(isTooMuch && trie.isEmpty)
        let isTaken = trie.add([ByteSlice("one")], number: 0)
        #expect(isTaken)
    }

    /// The texts of which a pattern needs one.
    @Test(
        arguments: [
            ("abc", ["abc"]), ("a.*bcd", ["bcd"]), ("^/x(foo|bar)$", ["foo", "bar"]), ("(?i)Jndi", ["Jndi"]),
            ("(abc)?d", ["d"]), ("(abc)+d", ["abc"]), ("a|b*", nil), ("\\d+", nil),
            ("x\\.php\\?id=[0-9]", ["x.php?id="]),
            ("é+ab", ["ab"]), ("é", nil), ("(", nil),
        ] as [(String, [String]?)])
    func necessary(_ pattern: String, _ texts: [String]?) {
        #expect(PatternNeeds.texts(of: pattern) == texts)
    }
}
