public import CrowdCore

/// Collects needles and makes their automaton.
public struct NeedleTrie {
    /// Longer needles count as found where their last bytes are: it bounds the automaton and still tells texts apart.
    static let longest = 32
    /// 4 MB of steps at the most.
    static let maxStates = 32_000

    private var children: [[UInt8: Int]] = [[:]]
    /// Numbers whose needles end in a state.
    private var ending: [Int: Set<Int>] = [:]
    /// Bytes of which each needle so far has one, and which are seldom in what logs hold; nil once a needle has none.
    private var rareBytes: Set<UInt8>? = []

    public init() {}

    public var isEmpty: Bool { ending.isEmpty }

    /// Adds the needles of one number; false, and nothing added, when there is no room for them.
    public mutating func add(_ needles: [ByteSlice], number: Int) -> Bool {
        guard children.count + needles.reduce(0, { $0 + min($1.count, NeedleTrie.longest) }) <= NeedleTrie.maxStates
        else {
            return false
        }
        for needle in needles {
            takeRareByte(of: needle)
            var state = 0
            for byte in needle.buffer.suffix(NeedleTrie.longest) { state = child(of: state, NeedleTrie.folded(byte)) }
            ending[state, default: []].insert(number)
        }
        return true
    }

    private mutating func takeRareByte(of needle: ByteSlice) {
        guard let known = rareBytes, !needle.buffer.contains(where: known.contains) else { return }
        if let rare = needle.buffer.first(where: NeedleTrie.isRare) { rareBytes?.insert(rare) } else { rareBytes = nil }
    }

    /// Not a letter, digit or one of the marks that paths, names of programs and addresses are full of.
    private static func isRare(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, 0x80...: false
        default: !" /.-_:;,()=&?\"+".utf8.contains(byte)
        }
    }

    private mutating func child(of state: Int, _ byte: UInt8) -> Int {
        if let next = children[state][byte] { return next }
        children.append([:])
        children[state][byte] = children.count - 1
        return children.count - 1
    }

    private static func folded(_ byte: UInt8) -> UInt8 { byte >= 65 && byte <= 90 ? byte | 0x20 : byte }

    /// The automaton over all that was added.
    public consuming func automaton() -> NeedleAutomaton {
        let (columns, count) = alphabet()
        var shift = 0
        while 1 << shift < count { shift += 1 }
        let (order, fallback) = breadthFirst()
        // A state ends what its longest proper suffix among the states ends, too.
        for state in order.dropFirst() {
            if let more = ending[fallback[state]] { ending[state, default: []].formUnion(more) }
        }
        // States that end something come last, so that one comparison tells them.
        let plain = order.filter { ending[$0] == nil }
        let final = order.filter { ending[$0] != nil }
        var places = [Int](repeating: 0, count: children.count)
        for (place, state) in (plain + final).enumerated() { places[state] = place }

        var steps = [UInt16](repeating: 0, count: children.count << shift)
        for state in order {
            let row = places[state] << shift
            if state != 0 {
                let other = places[fallback[state]] << shift
                for column in 0..<(1 << shift) { steps[row + column] = steps[other + column] }
            }
            for (byte, next) in children[state] { steps[row + Int(columns[Int(byte)])] = UInt16(places[next]) }
        }
        var numbers: [Int] = []
        var ends: [Range<Int>] = []
        for state in final {
            let start = numbers.count
            numbers += (ending[state] ?? []).sorted()
            ends.append(start..<numbers.count)
        }
        return NeedleAutomaton(
            columns: columns, steps: steps, shift: shift, firstEnd: plain.count, ends: ends, numbers: numbers,
            rareBytes: rareBytes)
    }

    /// A column for each byte that occurs, upper case with lower case.
    private func alphabet() -> (columns: [UInt8], count: Int) {
        var columns = [UInt8](repeating: 0, count: 256)
        var count = 1
        for byte in Set(children.flatMap(\.keys)).sorted() {
            columns[Int(byte)] = UInt8(count)
            if byte >= 97, byte <= 122 { columns[Int(byte & ~0x20)] = UInt8(count) }
            count += 1
        }
        return (columns, count)
    }

    /// The states, shorter ones first, and for each the state of its longest proper suffix.
    private func breadthFirst() -> (order: [Int], fallback: [Int]) {
        var order = [0]
        var fallback = [Int](repeating: 0, count: children.count)
        var next = 0
        while next < order.count {
            let state = order[next]
            next += 1
            for (byte, child) in children[state] {
                order.append(child)
                guard state != 0 else { continue }
                var suffix = fallback[state]
                while suffix != 0, children[suffix][byte] == nil { suffix = fallback[suffix] }
                fallback[child] = children[suffix][byte] ?? 0
            }
        }
        return (order, fallback)
    }
}
