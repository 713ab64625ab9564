import CrowdCore

/// Overflows whose source's name is being asked for, in the order they came; lines go on meanwhile (decision 0010).
///
/// Postoverflows run for one after the other, each once its name is known or too late, so that they find what they would
/// have found by waiting.
final class WaitingOverflows {
    /// Beyond so many the engine waits for the first one.
    private static let most = 256

    /// An overflow that postoverflows have not seen yet.
    struct Overflow {
        let object: OverflowObject
        let time: Timestamp
    }

    private struct Entry {
        let overflow: Overflow
        /// Whose name postoverflows will ask for; nil when for none.
        let address: IPAddress?
        var question: Completion<String?>?
        /// When it was asked; nil while it was not.
        var asked: Timestamp?
    }

    private let names: ReverseDNS
    private var entries: [Entry] = []
    /// Those before it were asked for.
    private var unasked = 0

    init(_ names: ReverseDNS) { self.names = names }

    var isEmpty: Bool { entries.isEmpty }
    var isFull: Bool { entries.count >= WaitingOverflows.most }

    /// The hub asks for the first source's name, and only where a remedy is wanted.
    func append(_ object: OverflowObject, at time: Timestamp) {
        let first = object.alerts.first?.header
        let address = first?.remediation == true ? IPAddress(first?.source.ip ?? "") : nil
        entries.append(Entry(overflow: Overflow(object: object, time: time), address: address))
        ask()
    }

    /// Asks in order, as many as may be open.
    private func ask() {
        while unasked < entries.count {
            let now = Timestamp.now()
            if let address = entries[unasked].address {
                switch names.look(for: address, now: now) {
                case .name: break
                case .asked(let question): entries[unasked].question = question
                case .busy: return
                }
            }
            entries[unasked].asked = now
            unasked += 1
        }
    }

    /// The first one, if its turn has come.
    ///
    /// - Parameter waits: its turn comes now: its name is waited for.
    func next(waits: Bool) -> Overflow? {
        guard !entries.isEmpty else { return nil }
        ask()
        let first = entries[0]
        if let question = first.question, let address = first.address, let asked = first.asked {
            let waited = (Timestamp.now() - asked).nanoseconds
            let patience = names.patience.nanoseconds
            let rest = GoDuration(nanoseconds: max(0, min(patience, patience - waited)))
            guard waits || question.value != nil || rest == .zero else { return nil }
            _ = names.wait(for: question, of: address, atMost: rest)
        } else if first.asked == nil, !waits {
            // All questions that may be open are others'.
            return nil
        }
        entries.removeFirst()
        unasked = max(unasked - 1, 0)
        return first.overflow
    }
}
