import CrowdCore
import CrowdText

/// "May one of these texts be part of that field, as the expression sees it?" A no is certain.
///
/// Filters that ask for texts (`Upper(evt.Meta.http_path) contains '…'`, `any(File('…'), {… contains #})`, `matches`) ask
/// such a question first; all questions about a field are answered by one search of its value.
struct NeedleQuestion {
    let table: NeedleTable
    let place: NeedlePlace
}

/// Where the answer to a question stands.
struct NeedlePlace {
    /// Position in `NeedleTable.fields`.
    let field: Int
    /// Bit among the answers about the field.
    let bit: Int
}

/// How an expression sees the field it looks for texts in.
struct FieldView: Hashable {
    let map: EventMap
    let key: FieldKey
    /// What in the value makes the answer "perhaps", because the expression may see something else than the value.
    var uncertain: NeedleAutomaton.Marks = []
}

/// The questions of all expressions of one content, by field. Filled while it is loaded, sealed before any worker runs.
public final class NeedleTable: @unchecked Sendable {
    // Sendable: changed by the loading thread only, before `seal`.

    /// All questions about one field.
    struct Field {
        let map: EventMap
        let key: FieldKey
        var automaton: NeedleAutomaton?
        /// Words of 64 bits that the answers take.
        var words = 0
        /// Bits of the questions that each mark makes uncertain: non-ASCII, percent, plus.
        var uncertain: [[Int]] = [[], [], []]
    }

    private struct Asked: Hashable {
        let view: FieldView
        let needles: [ByteSlice]
    }

    private(set) var fields: [Field] = []
    private var tries: [NeedleTrie] = []
    private var counts: [Int] = []
    private var asked: [Asked: NeedlePlace] = [:]
    private var isSealed = false

    public init() {}

    /// A question, or nil where there is none to be had: a full automaton takes no more, and after `seal` it is too late.
    func ask(_ need: NeedleNeed) -> NeedleQuestion? {
        guard !isSealed else { return nil }
        let question = Asked(view: need.view, needles: need.texts)
        let known = asked[question] ?? add(question)
        asked[question] = known
        return known.map { NeedleQuestion(table: self, place: $0) }
    }

    private func add(_ question: Asked) -> NeedlePlace? {
        let view = question.view
        let field = fields.firstIndex { $0.map == view.map && $0.key == view.key } ?? fields.count
        if field == fields.count {
            fields.append(Field(map: view.map, key: view.key))
            tries.append(NeedleTrie())
            counts.append(0)
        }
        let bit = counts[field]
        guard tries[field].add(question.needles, number: bit) else { return nil }
        counts[field] += 1
        for mark in 0..<3 where view.uncertain.contains(.init(rawValue: 1 << UInt8(mark))) {
            fields[field].uncertain[mark].append(bit)
        }
        return NeedlePlace(field: field, bit: bit)
    }

    /// Builds the automatons; what is asked from now on has no answer.
    public func seal() {
        guard !isSealed else { return }
        isSealed = true
        for index in fields.indices where counts[index] > 0 {
            fields[index].automaton = tries[index].automaton()
            fields[index].words = (counts[index] + 63) / 64
        }
        tries = []
        asked = [:]
    }
}
