import CrowdCore
import CrowdExpr
import CrowdText

/// The stages of one context (parsers or postoverflows), compiled and indexed. Immutable: workers share it.
public final class Stages: Sendable {
    /// One stage: its nodes in order, and which of them can accept a line of a given program.
    final class Stage: Sendable {
        let name: ByteSlice
        let nodes: PinnedList<Node>
        /// Numbers of the nodes to offer, by `evt.Parsed.program`; what is not listed gets `others`.
        private let byProgram: PinnedRows<Int>
        private let others: PinnedRow<Int>

        init(name: ByteSlice, nodes: [Node], byProgram: [ByteSlice: [Int]], others: [Int]) {
            self.name = name
            self.nodes = PinnedList(nodes)
            self.byProgram = PinnedRows(byProgram)
            self.others = PinnedRow(others)
        }

        func candidates(for program: ByteSlice) -> UnsafeBufferPointer<Int> {
            byProgram[program] ?? others.elements
        }
    }

    let stages: PinnedList<Stage>
    var isEmpty: Bool { names.isEmpty }
    let program: FieldKey?
    let names: [ByteSlice]
    /// All nodes by number, children too.
    public let nodeNames: [(name: String, stage: String, isChild: Bool)]
    /// Sizes that a worker's `PatternScratch` must have.
    let patternCount: Int
    let pairCount: Int
    /// What the method `reverse_dns` asks; nil where no static uses it.
    let reverseDNS: ReverseDNS?

    init(_ stages: [(name: String, nodes: [Node])], keys: KeyTable, patternCount: Int, indexed: Bool = true) {
        let program = keys.intern("program")
        self.program = program
        self.patternCount = patternCount
        let made = stages.map { stage in
            let (byProgram, others) = Stages.index(stage.nodes, program: indexed ? program : nil)
            return Stage(name: Immortal.copy(stage.name), nodes: stage.nodes, byProgram: byProgram, others: others)
        }
        self.stages = PinnedList(made)
        names = made.map(\.name)
        var listed: [Int: (String, String, Bool)] = [:]
        var pairs = 1
        for stage in stages {
            for node in stage.nodes { Stages.list(node, stage.name, isChild: false, &listed, &pairs) }
        }
        nodeNames = listed.sorted { $0.key < $1.key }.map(\.value)
        pairCount = pairs
        reverseDNS = stages.lazy.flatMap(\.nodes).compactMap(Stages.reverseDNS).first
    }

    private static func reverseDNS(_ node: Node) -> ReverseDNS? {
        let statics = node.statics.elements + (node.grok.object?.statics.elements ?? [])
        let own = statics.lazy.compactMap { ($0.enricher as? ReverseDNSEnricher)?.names }.first
        return own ?? node.children.elements.lazy.compactMap(reverseDNS).first
    }

    private static func list(
        _ node: Node, _ stage: String, isChild: Bool, _ all: inout [Int: (String, String, Bool)], _ pairs: inout Int
    ) {
        all[node.number] = (node.name, stage, isChild)
        if let grok = node.grok.object { pairs = max(pairs, grok.grok.pattern.pairCount) }
        for child in node.children.elements { list(child, stage, isChild: true, &all, &pairs) }
    }

    /// A node whose filter demands certain programs is offered only lines of these; all others are offered every line.
    /// A filter with side effects is never left out.
    private static func index(_ nodes: [Node], program: FieldKey?) -> ([ByteSlice: [Int]], [Int]) {
        var demanded: [[ByteSlice]?] = []
        for node in nodes {
            guard let filter = node.filter.object, filter.isPure, let program else {
                demanded.append(nil)
                continue
            }
            demanded.append(
                filter.facts.lazy.compactMap { fact in
                    if case .fieldIn(.parsed, program, let values) = fact { values } else { nil }
                }.first)
        }
        let others = nodes.indices.filter { demanded[$0] == nil }
        var table: [ByteSlice: [Int]] = [:]
        for value in Set(demanded.compactMap { $0 }.flatMap { $0 }) {
            table[value] = nodes.indices.filter { demanded[$0]?.contains(value) ?? true }
        }
        return (table, others)
    }
}
