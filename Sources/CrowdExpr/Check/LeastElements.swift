import CrowdCore

/// How many elements a list must have for a condition to be true: `len(filter(queue.Queue, {…})) >= 4 && …` cannot be with
/// three. Known at load, so that such a condition is not asked of shorter lists.
struct LeastElements {
    /// The variable and its field that the list is in.
    let slot: Int
    let field: Int

    func needed(by condition: Node) -> Int {
        switch condition {
        case let both as And: max(needed(by: both.left), needed(by: both.right))
        case let either as Or: min(needed(by: either.left), needed(by: either.right))
        case let declaration as Declaration: needed(by: declaration.body)
        case let comparison as Ordering: needed(by: comparison)
        default: 0
        }
    }

    private func needed(by comparison: Ordering) -> Int {
        switch comparison.op {
        case .greater: (bound(comparison.right, comparison.left) ?? -1) + 1
        case .greaterOrEqual: bound(comparison.right, comparison.left) ?? 0
        case .less: (bound(comparison.left, comparison.right) ?? -1) + 1
        case .lessOrEqual: bound(comparison.left, comparison.right) ?? 0
        default: 0
        }
    }

    /// The constant, where what it is compared with is a count of the list's elements.
    private func bound(_ constant: Node, _ count: Node) -> Int? {
        guard let counted = counted(by: count), isPart(counted), let constant = constant as? Constant,
            case .int(let number) = constant.constant
        else { return nil }
        return Int(min(max(number, 0), Self.most))
    }

    /// More than any queue has.
    private static let most: Int64 = 1_000_000

    private func counted(by count: Node) -> Node? {
        switch count {
        case let call as Call where call.function.name == "len": call.arguments.first
        case let search as Search where search.parts.name == "count": search.parts.list
        default: nil
        }
    }

    /// Whether it is the list, or what is left of it.
    private func isPart(_ list: Node) -> Bool {
        switch list {
        case let whole as ObjectField: whole.field == field && (whole.base as? Variable)?.slot == slot
        case let changed as Transformation: changed.parts.name != "groupBy" && isPart(changed.parts.list)
        case let part as Slicing: isPart(part.base)
        case let local as Local: local.initial.map(isPart) ?? false
        default: false
        }
    }
}
