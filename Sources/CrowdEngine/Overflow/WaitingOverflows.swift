import CrowdCore
import Glibc

/// Overflows whose source's name is being asked for; lines go on meanwhile, and so do other overflows (decision 0010).
///
/// Postoverflows run for each once its name is known or too late, so that they find what they would have found by waiting.
final class WaitingOverflows {
    /// Beyond so many the engine waits for the first one.
    private static let most = 256
    /// How long to wait for the eldest's name before another one's is looked for.
    private static let glance = GoDuration.milliseconds(5)

    /// An overflow that postoverflows have not seen yet.
    struct Overflow {
        let object: OverflowObject
        let time: Timestamp
    }

    private struct Entry {
        let overflow: Overflow
        /// Whose name postoverflows will ask for; nil when for none.
        let address: IPAddress?
        let came: Timestamp
        var question: Completion<String?>?
    }

    private let names: ReverseDNS
    private var entries: [Entry] = []
    /// Those before it were asked for.
    private var unasked = 0
    /// How many questions had been answered when no entry was ready.
    private var answersSeen = -1

    init(_ names: ReverseDNS) { self.names = names }

    var isEmpty: Bool { entries.isEmpty }
    var isFull: Bool { entries.count >= WaitingOverflows.most }

    /// The hub asks for the first source's name, and only where a remedy is wanted.
    func append(_ object: OverflowObject, at time: Timestamp) {
        let first = object.alerts.first?.header
        let address = first?.remediation == true ? IPAddress(first?.source.ip ?? "") : nil
        entries.append(Entry(overflow: Overflow(object: object, time: time), address: address, came: .now()))
        answersSeen = -1
    }

    /// One whose turn has come: the eldest of those whose name is there or too late.
    ///
    /// - Parameter waits: if there is none, until there is.
    func next(waits: Bool) -> Overflow? {
        while !entries.isEmpty {
            ask()
            if let place = ready(at: .now()) { return take(place) }
            guard waits else { return nil }
            if let question = entries[0].question {
                _ = question.wait(atMost: WaitingOverflows.glance)
            } else {
                usleep(UInt32(WaitingOverflows.glance.nanoseconds / 1_000))
            }
        }
        return nil
    }

    private func take(_ place: Int) -> Overflow {
        let entry = entries.remove(at: place)
        if place < unasked { unasked -= 1 }
        if let question = entry.question, let address = entry.address {
            // It is there, or its time is over: that is counted.
            _ = names.wait(for: question, of: address, atMost: .zero)
        }
        return entry.overflow
    }

    /// Asks in the order of coming, as many as may be open.
    private func ask() {
        while unasked < entries.count {
            if let address = entries[unasked].address {
                switch names.look(for: address) {
                case .name: break
                case .asked(let question): entries[unasked].question = question
                case .busy: return
                }
            }
            unasked += 1
        }
    }

    private func ready(at now: Timestamp) -> Int? {
        let answers = names.answers
        guard answers != answersSeen || rest(of: entries[0], at: now) == .zero else { return nil }
        let place = entries.indices.first { place in
            if rest(of: entries[place], at: now) == .zero { return true }
            return place < unasked && entries[place].question.map { $0.value != nil } ?? true
        }
        if place == nil { answersSeen = answers }
        return place
    }

    /// What is left of the time that somebody waits for a name.
    private func rest(of entry: Entry, at now: Timestamp) -> GoDuration {
        let patience = names.patience.nanoseconds
        return GoDuration(nanoseconds: max(0, min(patience, patience - (now - entry.came).nanoseconds)))
    }
}
