import CrowdCore
import CrowdText

extension Node {
    /// The field that this text is computed from, when what it holds can be told from the field's own value: the field, its
    /// upper or lower case, its URL unescaped, a part of it.
    var view: FieldView? {
        switch self {
        case let field as FieldText: FieldView(map: field.map, key: field.key)
        case let local as Local: local.initial?.view
        case let call as TextCall: call.viewOfArgument
        default: nil
        }
    }

    /// Text that needs no event.
    var constantText: ByteSlice? { (self as? ConstantText)?.constant }
}

extension TextCall {
    fileprivate var viewOfArgument: FieldView? {
        guard var view = argument.view else { return nil }
        switch function.name {
        // Some characters beyond ASCII have ASCII letters as their other case.
        case "Upper", "Lower", "upper", "lower": view.uncertain.insert(.nonASCII)
        case "PathUnescape": view.uncertain.insert(.percent)
        case "QueryUnescape": view.uncertain.formUnion([.percent, .plus])
        // A part of the text holds nothing that the text does not hold.
        case "TrimSpace", "basename": break
        default: return nil
        }
        return view
    }
}

/// Texts of which one must occur in a field for a condition to be true.
struct NeedleNeed {
    let view: FieldView
    let texts: [ByteSlice]

    /// Bytes of the shortest text.
    var shortest: Int { texts.map(\.count).min() ?? 0 }

    /// As a group of needs: `subject contains text`, and whatever can hold only where it does. No group where nothing is
    /// known of the subject or the texts.
    ///
    /// - Parameter isOwnWay: patterns see case and characters beyond ASCII their own way.
    static func group(_ subject: Node, _ texts: [ByteSlice]?, isOwnWay: Bool = false) -> [[NeedleNeed]] {
        guard let texts, !texts.isEmpty, !texts.contains(where: \.isEmpty), var view = subject.view else { return [] }
        if isOwnWay { view.uncertain.insert(.nonASCII) }
        return [[NeedleNeed(view: view, texts: Array(Set(texts)).sorted())]]
    }

    /// Of `any(items, predicate)`, where the predicate looks for something made of the element in a text that does not
    /// depend on the element.
    static func any(_ items: [Value], _ predicate: Node, level: Int) -> NeedleNeed? {
        switch predicate {
        case let test as TextTestNode where test.isText:
            return group(test.left, element(test.right, of: items, level)).first?.first
        case let test as TextEqual where !test.negated:
            return
                (group(test.left, element(test.right, of: items, level))
                + group(test.right, element(test.left, of: items, level))).first?.first
        case let conditional as Conditional where conditional.no.isFalse:
            return any(items, conditional.condition, level: level)
        // `len(#) > 0 && …`
        case let both as And where both.left.isOfElement(level):
            return any(items, both.right, level: level)
        default: return nil
        }
    }

    /// The text that `node` is for each of the items; nil when it depends on more than the element.
    static func element(_ node: Node, of items: [Value], _ level: Int) -> [ByteSlice]? {
        guard node.isOfElement(level) else { return nil }
        let event = Event(keys: KeyTable(limit: 0))
        let machine = Machine(event: event)
        var texts: [ByteSlice] = []
        for item in items {
            machine.begin(locals: 0, scopes: level + 1)
            machine.scopes[level].element = item
            guard let text = try? node.text(machine) else { return nil }
            texts.append(Immortal.copy(text))
        }
        return texts
    }
}

extension Node {
    var isFalse: Bool { if case .bool(false)? = (self as? Constant)?.constant { true } else { false } }

    /// Whether it computes the same whenever the element of the predicate at `level` is the same: it looks at nothing else
    /// and changes nothing.
    func isOfElement(_ level: Int) -> Bool {
        switch self {
        case is ConstantText, is Constant: true
        case let node as Element: node.isElement(of: level)
        case let node as ObjectField: node.base.isOfElement(level)
        case let node as ObjectEntry: node.base.isOfElement(level) && node.key.isOfElement(level)
        case let node as TextCall: node.argument.isOfElement(level)
        case let node as Call: node.function.isPure && node.arguments.allSatisfy { $0.isOfElement(level) }
        case let node as TextEqual: node.left.isOfElement(level) && node.right.isOfElement(level)
        case let node as TextTestNode: node.left.isOfElement(level) && node.right.isOfElement(level)
        case let node as Ordering: node.left.isOfElement(level) && node.right.isOfElement(level)
        case let node as InTextSet: node.subject.isOfElement(level)
        case let node as Matches: node.subject.isOfElement(level)
        case let node as And: node.left.isOfElement(level) && node.right.isOfElement(level)
        case let node as Or: node.left.isOfElement(level) && node.right.isOfElement(level)
        case let node as Not: node.operand.isOfElement(level)
        default: false
        }
    }
}

extension Ordering {
    /// `len(#) > 0`
    func isNotEmpty(_ level: Int) -> Bool {
        guard op == .greater, let length = left as? Call, length.function.name == "len", length.arguments.count == 1,
            (length.arguments[0] as? Element)?.isElement(of: level) == true,
            case .int(0)? = (right as? Constant)?.constant
        else { return false }
        return true
    }
}

extension Node {
    /// A field of the event or of what is in it: the same for every turn of a predicate, and reading it changes nothing.
    var isOfEvent: Bool {
        switch self {
        case is FieldText, is EventText, is EventValue: true
        case let node as ObjectField: node.base.isOfEvent
        default: false
        }
    }
}
