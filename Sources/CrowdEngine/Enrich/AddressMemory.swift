import CrowdCore

/// Texts that were found for addresses lately: who asks for one page asks for twenty. One worker's own, bounded.
final class AddressMemory {
    private static let placeBits = 8
    private static let mostTexts = 4
    /// Bytes of one address's texts; what is longer is not kept.
    private static let room = 120

    private struct Entry {
        var address: IPAddress?
        /// nil when nothing was found.
        var texts: Int?
        var bytes = 0
        var places: (Span, Span, Span, Span) = (Span(), Span(), Span(), Span())
    }

    /// Where a text lies among the entry's bytes.
    private struct Span {
        var start: UInt8 = 0
        var count: UInt8 = 0
    }

    private let entries: UnsafeMutablePointer<Entry>
    private let bytes: UnsafeMutablePointer<UInt8>

    init() {
        let count = 1 << AddressMemory.placeBits
        entries = .allocate(capacity: count)
        entries.initialize(repeating: Entry(), count: count)
        bytes = .allocate(capacity: count * AddressMemory.room)
    }

    deinit {
        entries.deallocate()
        bytes.deallocate()
    }

    private func place(of address: IPAddress) -> Int {
        let mixed = (address.high ^ address.low) &* 0x9e37_79b9_7f4a_7c15
        return Int(mixed >> UInt64(64 - AddressMemory.placeBits))
    }

    /// Calls `body` with each of the texts found for the address, copied into the arena.
    ///
    /// - Returns: false when nothing is known of the address.
    func recall(_ address: IPAddress, _ arena: Arena, _ body: (_ number: Int, _ text: ByteSlice) -> Void) -> Bool {
        let place = place(of: address)
        let entry = entries + place
        guard entry.pointee.address == address else { return false }
        guard let count = entry.pointee.texts else { return true }
        let own = ByteSlice(base: bytes + place * AddressMemory.room, count: entry.pointee.bytes)
        let copy = arena.copy(own)
        withUnsafeBytes(of: &entry.pointee.places) { spans in
            let spans = spans.bindMemory(to: Span.self)
            for number in 0..<count {
                let start = Int(spans[number].start)
                body(number, copy[start..<(start + Int(spans[number].count))])
            }
        }
        return true
    }

    /// - Parameter texts: nil when nothing was found.
    func keep(_ texts: [ByteSlice]?, of address: IPAddress) {
        let place = place(of: address)
        entries[place] = Entry()
        guard let texts else {
            entries[place].address = address
            return
        }
        guard texts.count <= AddressMemory.mostTexts else { return }
        let own = bytes + place * AddressMemory.room
        var spans: [Span] = []
        var used = 0
        for (number, text) in texts.enumerated() {
            // One text for two fields lies at one place, as it does in an event.
            if number > 0, text.base == texts[number - 1].base, text.count == texts[number - 1].count {
                spans.append(spans[number - 1])
                continue
            }
            guard used + text.count <= AddressMemory.room else { return }
            spans.append(Span(start: UInt8(used), count: UInt8(text.count)))
            (own + used).update(from: text.base, count: text.count)
            used += text.count
        }
        withUnsafeMutableBytes(of: &entries[place].places) { places in
            let places = places.bindMemory(to: Span.self)
            for (number, span) in spans.enumerated() { places[number] = span }
        }
        entries[place].bytes = used
        entries[place].texts = texts.count
        entries[place].address = address
    }
}

/// What a database says of an address, as texts of fields.
protocol AddressLookup: Sendable {
    /// Names of the fields, at most four.
    static var fields: [String] { get }
    /// A text for each of them; nil when they are not to be set.
    func texts(of address: IPAddress, _ arena: Arena) -> [ByteSlice]?
}

/// A method that sets fields by the address that a text is.
struct AddressEnricher<Lookup: AddressLookup>: Enricher {
    private let lookup: Lookup
    private let keys: PinnedRow<EnrichedKey>
    /// What the memory lies under.
    private let number: FieldKey

    /// nil when there were too many names of fields.
    init?(_ lookup: Lookup, _ keys: KeyTable) {
        guard let number = Lookup.fields.first.flatMap({ keys.intern($0) }) else { return nil }
        self.lookup = lookup
        self.number = number
        self.keys = PinnedRow(Lookup.fields.map { EnrichedKey($0, keys) })
    }

    func enrich(_ value: ByteSlice, _ event: Event) {
        guard let address = event.address(in: value) else { return }
        let memory = event.memories.memory(number) { AddressMemory() }
        let keys = keys.elements
        if memory.recall(address, event.arena, { keys[$0].set($1, event) }) { return }
        let texts = lookup.texts(of: address, event.arena)
        memory.keep(texts, of: address)
        for (number, text) in (texts ?? []).enumerated() { keys[number].set(text, event) }
    }
}
