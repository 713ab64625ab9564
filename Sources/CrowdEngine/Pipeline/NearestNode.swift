import CrowdCore
import CrowdExpr
import CrowdText

/// The node that came nearest to taking a line that none took.
public struct NearestNode: Sendable {
    public let stage: String
    /// Of a child, the name of the node that it belongs to.
    public let node: String
    /// What its pattern was applied to.
    public let subject: String
    /// Bytes of the subject that the pattern went along with.
    public let matched: Range<Int>
    /// What the pattern goes on with there.
    public let expected: String
}

extension Worker {
    /// After `process` of a line that was not parsed: the node of the stage it got stuck in whose pattern matches the
    /// longest part of it. Nil when no pattern was tried or none matches any of it. Slow: for explanations.
    public var nearestNode: NearestNode? {
        guard parser.runner.event.stage < parser.runner.stages.stages.count else { return nil }
        return parser.runner.nearestNode
    }
}

extension StageRunner {
    fileprivate var nearestNode: NearestNode? {
        stages.stages.with(event.stage) { stage in
            var best: NearestNode?
            for node in stage.nodes.elements { look(at: node, named: node.name, String(stage.name), &best) }
            return best
        }
    }

    private func look(at node: Node, named name: String, _ stage: String, _ best: inout NearestNode?) {
        if let filter = node.filter.object {
            guard let passes = try? filter.bool(on: machine), passes else { return }
        }
        if let step = node.grok.object, let subject = subject(of: step), let miss = step.grok.nearMiss(in: subject),
            miss.matched.count > best?.matched.count ?? 0
        {
            best = NearestNode(
                stage: stage, node: name, subject: String(subject), matched: miss.matched, expected: miss.expected)
        }
        for child in node.children.elements { look(at: child, named: name, stage, &best) }
    }
}
