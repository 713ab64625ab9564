import CrowdCore
import CrowdExpr
import CrowdText

/// A parser node, compiled. Immutable: workers share it.
final class Node: Sendable {
    let name: String
    /// Position among the nodes that are counted; children have their own.
    let number: Int
    let filter: Pinned<Program>
    let whitelist: Pinned<Whitelist>
    let grok: Pinned<GrokStep>
    let stash: [StashStep]
    let children: PinnedList<Node>
    let statics: PinnedList<Static>
    let advances: Bool

    init(
        name: String, number: Int, filter: Program?, whitelist: Whitelist?, grok: GrokStep?, stash: [StashStep],
        children: [Node], statics: [Static], advances: Bool
    ) {
        self.name = name
        self.number = number
        self.filter = Pinned(filter)
        self.whitelist = Pinned(whitelist)
        self.grok = Pinned(grok)
        self.stash = stash
        self.children = PinnedList(children)
        self.statics = PinnedList(statics)
        self.advances = advances
    }
}

/// A grok with where its captures go.
final class GrokStep: Sendable {
    enum Subject: Sendable {
        case rawLine
        case parsed(FieldKey)
        /// The step's `program`.
        case expression
    }
    /// A field that a match gives: its key in `evt.Parsed` and its place among the match's pairs.
    struct Field: Sendable {
        let key: FieldKey
        let place: Int
    }
    let grok: Grok
    let subject: Subject
    let program: Program?
    let fields: PinnedRow<Field>
    let statics: PinnedList<Static>

    init(
        grok: Grok, subject: Subject, program: Program?, fields: [Field], statics: [Static]
    ) {
        self.grok = grok
        self.subject = subject
        self.program = program
        self.fields = PinnedRow(fields)
        self.statics = PinnedList(statics)
    }
}

/// One static: where a value comes from and what is done with it. A class, so that going through a list of them copies
/// nothing; what is counted lies beside the enums, so that looking at them counts nothing.
final class Static: Sendable {
    enum Source: Sendable {
        case constant(ByteSlice)
        case field(EventMap, FieldKey)
        /// The static's `program`.
        case expression
    }
    enum Target: Sendable {
        case field(EventMap, FieldKey)
        case strTime, strTimeFormat, marshaledTime, lineModule, lineSource, stage
        case source(SourceField)
        /// The static's `enricher`.
        case method
        /// An unknown method or a path that leads nowhere: reported at load, does nothing.
        case nothing
    }
    enum SourceField: Sendable { case scope, value, ip, range, asNumber, asName, cn }
    let target: Target
    let source: Source
    let program: Pinned<Program>
    let enricher: any Enricher
    /// `ParseDate` alone runs for an empty value too.
    let runsWhenEmpty: Bool

    init(target: Target, source: Source, program: Program?, enricher: (any Enricher)?, runsWhenEmpty: Bool) {
        self.target = target
        self.source = source
        self.program = Pinned(program)
        self.enricher = enricher ?? NoEnricher()
        self.runsWhenEmpty = runsWhenEmpty
    }
}

final class Whitelist: Sendable {
    let reason: ByteSlice
    /// Single addresses too.
    let ranges: AddressRanges
    let expressions: [Program]

    init(reason: ByteSlice, ranges: AddressRanges, expressions: [Program]) {
        self.reason = reason
        self.ranges = ranges
        self.expressions = expressions
    }
}

struct StashStep: Sendable {
    let name: String
    let key: Program
    let value: Program
    let ttl: GoDuration
}

/// A method of statics: computes fields of `evt.Enriched` from a text (engine facts B.5).
protocol Enricher: Sendable {
    func enrich(_ value: ByteSlice, _ event: Event)
}

/// Of statics that are no method.
struct NoEnricher: Enricher {
    func enrich(_ value: ByteSlice, _ event: Event) {}
}
