import CrowdCore
import CrowdText

/// The answers about the event at hand: one worker's own. A field is searched when first asked about, and again only when
/// its value is another. No lock, no allocation.
final class NeedleAnswers {
    /// What is known of one field.
    private struct Known {
        let map: EventMap
        let key: FieldKey
        let isSearched: Bool
        /// Where its bits begin.
        let start: Int
        let words: Int
        var hasHits = false
        /// The value that was searched last.
        var base = ByteSlice.empty.base
        var count = -1
        var generation: UInt64 = 0
        /// Made when a text is met that it may hold.
        var memo: NeedleMemo?
    }

    let table: NeedleTable
    private let event: Event
    private let known: UnsafeMutablePointer<Known>
    private let bits: UnsafeMutablePointer<UInt64>
    private let count: Int

    init(_ table: NeedleTable, _ event: Event) {
        self.table = table
        self.event = event
        count = table.fields.count
        known = .allocate(capacity: max(count, 1))
        var words = 0
        for (index, field) in table.fields.enumerated() {
            (known + index).initialize(
                to: Known(
                    map: field.map, key: field.key, isSearched: field.automaton != nil, start: words, words: field.words
                ))
            words += field.words
        }
        bits = .allocate(capacity: max(words, 1))
        bits.initialize(repeating: 0, count: max(words, 1))
    }

    deinit {
        for field in 0..<count { known[field].memo?.deallocate() }
        known.deallocate()
        bits.deallocate()
    }

    @inline(__always)
    func mayHold(_ place: NeedlePlace) -> Bool {
        guard place.field < count, known[place.field].isSearched else { return true }
        refresh(place.field)
        return bits[known[place.field].start + place.bit >> 6] & (1 << UInt64(place.bit & 63)) != 0
    }

    /// Calls `body` with every bit of the field that is set.
    @inline(__always)
    func forEachHit(in field: Int, _ body: (_ bit: Int) -> Void) {
        guard field < count, known[field].isSearched else { return }
        refresh(field)
        guard known[field].hasHits else { return }
        for word in 0..<known[field].words {
            var rest = bits[known[field].start + word]
            while rest != 0 {
                body(word << 6 | rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
    }

    /// Searches the field's value unless that was done.
    @inline(__always)
    private func refresh(_ field: Int) {
        let value = known[field].map.value(known[field].key, in: event)
        if known[field].generation != event.generation || known[field].base != value.base
            || known[field].count != value.count
        {
            search(field, value)
        }
    }

    private func search(_ index: Int, _ value: ByteSlice) {
        known[index].base = value.base
        known[index].count = value.count
        known[index].generation = event.generation
        let bits = bits + known[index].start
        find(index, value, bits)
        var any: UInt64 = 0
        for word in 0..<known[index].words { any |= bits[word] }
        known[index].hasHits = any != 0
    }

    private func find(_ index: Int, _ value: ByteSlice, _ bits: UnsafeMutablePointer<UInt64>) {
        guard NeedleMemo.lengths.contains(value.count) else { return searchAnew(index, value, bits) }
        let memo = memo(index)
        let hash = value.keyedHash
        if memo.recall(value, hash, into: bits) { return }
        searchAnew(index, value, bits)
        memo.keep(value, hash, bits)
    }

    private func memo(_ index: Int) -> NeedleMemo {
        if let memo = known[index].memo { return memo }
        let made = NeedleMemo(words: known[index].words)
        known[index].memo = made
        return made
    }

    private func searchAnew(_ index: Int, _ value: ByteSlice, _ bits: UnsafeMutablePointer<UInt64>) {
        bits.update(repeating: 0, count: known[index].words)
        guard !value.isEmpty else { return }
        let field = table.fields[index]
        guard let marks = field.automaton?.search(value, into: bits), !marks.isEmpty else { return }
        addUncertain(field, marks, bits)
    }

    private func addUncertain(
        _ field: NeedleTable.Field, _ marks: NeedleAutomaton.Marks, _ bits: UnsafeMutablePointer<UInt64>
    ) {
        for mark in 0..<3 where marks.contains(.init(rawValue: 1 << UInt8(mark))) {
            for bit in field.uncertain[mark] { bits[bit >> 6] |= 1 << UInt64(bit & 63) }
        }
    }
}

extension Machine {
    /// Whether the answer to the question is yes or perhaps.
    @inline(__always)
    func mayHold(_ question: NeedleQuestion) -> Bool { answers(from: question.table).mayHold(question.place) }

    @inline(__always)
    func answers(from table: NeedleTable) -> NeedleAnswers {
        if let answers, answers.table === table { return answers }
        let made = NeedleAnswers(table, event)
        answers = made
        return made
    }
}
