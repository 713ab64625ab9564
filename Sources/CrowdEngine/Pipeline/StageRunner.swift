import CrowdCore
import CrowdExpr
import CrowdText

/// Counts of what nodes did, by node number; a worker's own, added up when metrics are read.
struct NodeCounts {
    var hits = 0
    var ok = 0
    var whitelistHits = 0
    var whitelisted = 0

    static func += (sum: inout NodeCounts, more: NodeCounts) {
        sum.hits += more.hits
        sum.ok += more.ok
        sum.whitelistHits += more.whitelistHits
        sum.whitelisted += more.whitelisted
    }

    static func zeros(for stages: Stages) -> [NodeCounts] {
        Array(repeating: NodeCounts(), count: stages.nodeNames.count)
    }
}

/// Sees what each top-level node did to an event: `cscli explain`, hub tests.
protocol NodeObserver: AnyObject {
    func ran(_ node: Node, stage: ByteSlice, succeeded: Bool, event: Event)
}

/// Runs an event through the stages of one context (engine facts B.3, B.10). One worker's own.
final class StageRunner {
    let stages: Stages
    let machine: Machine
    let scratch: PatternScratch
    let stashes: Stashes
    private let tally: UnsafeMutableBufferPointer<NodeCounts>
    var observer: (any NodeObserver)?
    private let rows: PinnedList<Stages.Stage>
    private let sourceIP: FieldKey?
    private var rawIsUTF8 = true

    /// A static gave a value of a kind that cannot be stored: the event is dropped.
    private struct HardError: Error {}

    init(_ stages: Stages, event: Event, stashes: Stashes) {
        self.stages = stages
        rows = stages.stages
        self.stashes = stashes
        self.event = event
        event.stages = stages.names
        machine = Machine(event: event)
        scratch = PatternScratch(patterns: stages.patternCount, pairs: stages.pairCount)
        tally = .allocate(capacity: stages.nodeNames.count)
        tally.initialize(repeating: NodeCounts())
        sourceIP = event.keys.intern("source_ip")
    }

    let event: Event

    deinit { tally.deallocate() }

    /// What nodes did, by number; copied.
    var counts: [NodeCounts] { Array(tally) }

    func add(_ counts: [NodeCounts]) { for index in counts.indices { tally[index] += counts[index] } }

    func resetCounts() { tally.update(repeating: NodeCounts()) }

    /// True when every stage was passed; false leaves the event unparsed.
    func run() -> Bool {
        rawIsUTF8 = UTF8Check.isValid(event.line.raw)
        event.process = false
        do {
            for index in 0..<rows.count {
                if event.stage > index { continue }
                if event.stage < index { return false }
                let passed = try rows.with(index) { stage throws(HardError) in try run(stage, index) }
                guard passed else { return false }
            }
        } catch {
            return false
        }
        event.process = true
        return true
    }

    private func run(_ stage: Stages.Stage, _ index: Int) throws(HardError) -> Bool {
        var isOK = false
        var program = currentProgram
        var candidates = stage.candidates(for: program)
        var position = 0
        while position < candidates.count {
            let number = candidates[position]
            position += 1
            let (succeeded, advances) = try stage.nodes.with(number) { node throws(HardError) in
                let succeeded = try run(node)
                observer?.ran(node, stage: stage.name, succeeded: succeeded, event: event)
                return (succeeded, node.advances)
            }
            if succeeded { isOK = true }
            if (succeeded && advances) || event.stage != index { break }
            // A node may have said which program the line is of: the rest is chosen anew.
            let now = currentProgram
            if now.base != program.base || now.count != program.count {
                program = now
                candidates = stage.candidates(for: now)
                position = candidates.firstIndex { $0 > number } ?? candidates.count
            }
        }
        return isOK
    }

    private var currentProgram: ByteSlice {
        guard let key = stages.program else { return .empty }
        return EventMap.parsed.value(key, in: event)
    }

    // MARK: one node

    private func run(_ node: Node) throws(HardError) -> Bool {
        guard node.filter.with({ (try? $0.bool(on: machine)) ?? false }) ?? true else { return false }
        tally[node.number].hits += 1
        let whitelisted = node.whitelist.with { apply($0, node.number) } ?? false
        let grokMatched = try node.grok.with { grok throws(HardError) in try match(grok) } ?? true
        if grokMatched { for step in node.stash { store(step) } }
        let state = try runChildren(of: node, grokMatched: grokMatched)
        guard state else { return false }
        if node.whitelist.isEmpty || whitelisted { try apply(node.statics) }
        if node.advances, event.stage < rows.count - 1 { event.stage += 1 }
        tally[node.number].ok += 1
        return true
    }

    /// Children run even when the grok failed; the last one decides unless the grok matched or one ends the row.
    private func runChildren(of node: Node, grokMatched: Bool) throws(HardError) -> Bool {
        var state = grokMatched
        for index in 0..<node.children.count {
            let succeeded = try node.children.with(index) { child throws(HardError) in try run(child) }
            if succeeded {
                state = true
                if node.advances { break }
            } else if node.grok.isEmpty || !grokMatched {
                state = false
            }
        }
        return state
    }

    private func apply(_ whitelist: Whitelist, _ number: Int) -> Bool {
        tally[number].whitelistHits += 1
        guard covers(whitelist) else { return false }
        tally[number].whitelisted += 1
        if !event.isWhitelisted {
            event.isWhitelisted = true
            event.whitelistReason = whitelist.reason
            (event.overflow as? OverflowObject)?.isWhitelisted = true
        }
        return true
    }

    private func covers(_ whitelist: Whitelist) -> Bool {
        if !whitelist.ranges.isEmpty, coversAddress(whitelist) { return true }
        for expression in whitelist.expressions {
            guard let value = try? expression.value(on: machine) else { return false }
            if case .bool(true) = value { return true }
        }
        return false
    }

    private func coversAddress(_ whitelist: Whitelist) -> Bool {
        if let overflow = event.overflow as? OverflowObject {
            return overflow.sourceKeys.contains { IPAddress($0).map(whitelist.ranges.contains) ?? false }
        }
        guard let key = sourceIP, let text = event.meta.find(key), let address = event.address(in: text) else {
            return false
        }
        return whitelist.ranges.contains(address)
    }

    private func store(_ step: StashStep) {
        guard case .string(let value)? = try? step.value.value(on: machine),
            case .string(let key)? = try? step.key.value(on: machine)
        else { return }
        stashes.set(key, value, in: step.name, ttl: step.ttl, now: Timestamp.now())
    }

    // MARK: grok

    private func match(_ step: GrokStep) throws(HardError) -> Bool {
        let fields = step.fields.elements
        guard !fields.isEmpty, let subject = subject(of: step) else { return false }
        let isUTF8 = isUTF8(subject)
        guard scratch.match(step.grok.pattern, subject, isUTF8: isUTF8) else { return false }
        for field in fields {
            EventMap.parsed.set(field.key, scratch.part(field.place, of: subject), in: event)
        }
        try apply(step.statics)
        return true
    }

    func subject(of step: GrokStep) -> ByteSlice? {
        switch step.subject {
        case .rawLine: return event.line.raw
        case .parsed(let key): return EventMap.parsed.find(key, in: event)
        case .expression:
            guard let value = try? step.program?.value(on: machine) else { return nil }
            return text(of: value) ?? .empty
        }
    }

    /// A slice of a line that was found valid is valid: groups begin and end at characters.
    private func isUTF8(_ text: ByteSlice) -> Bool {
        let raw = event.line.raw
        if rawIsUTF8, text.base >= raw.base, text.base + text.count <= raw.base + raw.count { return true }
        return UTF8Check.isValid(text)
    }

    // MARK: statics

    private func apply(_ statics: PinnedList<Static>) throws(HardError) {
        for index in 0..<statics.count {
            try statics.with(index) { item throws(HardError) in
                guard let value = try value(of: item), !value.isEmpty || item.runsWhenEmpty else { return }
                if case .field(let map, let key) = item.target {
                    map.set(key, value, in: event)
                } else {
                    apply(value, to: item)
                }
            }
        }
    }

    private func value(of item: Static) throws(HardError) -> ByteSlice? {
        switch item.source {
        case .constant(let text): return text
        case .field(let map, let key): return map.value(key, in: event)
        case .expression:
            return try item.program.with { program throws(HardError) in try value(of: program) } ?? nil
        }
    }

    private func value(of program: Program) throws(HardError) -> ByteSlice? {
        if program.givesText { return try? program.text(on: machine) }
        guard let value = try? program.value(on: machine) else { return nil }
        switch value {
        case .null: return .empty
        // Only lists and maps of any element are let pass, as empty text.
        case .list where program.type == .any, .map where program.type == .any: return .empty
        default:
            guard let text = text(of: value) else { throw HardError() }
            return text
        }
    }

    /// Text as it is, integers in decimal, floats with six decimals; nil for what a static cannot hold.
    private func text(of value: Value) -> ByteSlice? {
        switch value {
        case .string(let text): text
        case .int(let number): event.arena.decimal(number)
        case .float(let number): Printing.sixDecimals(number, event.arena)
        default: nil
        }
    }

    private func apply(_ value: ByteSlice, to item: Static) {
        switch item.target {
        case .field(let map, let key): map.set(key, value, in: event)
        case .strTime: event.strTime = value
        case .strTimeFormat: event.strTimeFormat = value
        case .marshaledTime:
            let isOwn = value.base == event.parsedDate?.text.base
            event.setMarshaledTime(value, instant: isOwn ? event.parsedDate?.instant : nil)
        case .lineModule: event.line.module = value
        case .lineSource: event.line.source = value
        case .stage: if let stage = stages.names.firstIndex(of: value) { event.stage = stage }
        case .source(let field): (event.overflow as? OverflowObject)?.set(field, String(value))
        case .method: item.enricher.enrich(value, event)
        case .nothing: break
        }
    }
}
