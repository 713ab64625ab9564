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

    /// `subject contains text`, and whatever can hold only where it does; nil where nothing is known of the subject or the
    /// texts.
    ///
    /// - Parameter isOwnWay: patterns see case and characters beyond ASCII their own way.
    init?(_ subject: Node, _ texts: [ByteSlice]?, isOwnWay: Bool = false) {
        guard let texts, !texts.isEmpty, !texts.contains(where: \.isEmpty), var view = subject.view else { return nil }
        if isOwnWay { view.uncertain.insert(.nonASCII) }
        self.view = view
        self.texts = Array(Set(texts)).sorted()
    }

    /// The same as the only need of a condition.
    static func group(_ subject: Node, _ texts: [ByteSlice]?, isOwnWay: Bool = false) -> [[NeedleNeed]] {
        NeedleNeed(subject, texts, isOwnWay: isOwnWay).map { [[$0]] } ?? []
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
