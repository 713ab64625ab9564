import CrowdCore
import Testing

@testable import CrowdEngine

@Suite("Texts of addresses") struct AddressMemoryTests {
    /// Says of an address what its last byte asks for, and counts how often it was asked.
    private final class Asked: AddressLookup, @unchecked Sendable {
        // Sendable: one test's, on one thread.
        static let fields = ["first", "second"]
        var count = 0

        func texts(of address: IPAddress, _ arena: Arena) -> [ByteSlice]? {
            count += 1
            switch address.low & 3 {
            case 0: return nil
            case 1: return [arena.copy("of \(address.low)"), .empty]
            case 2:
                let both = arena.copy("both \(address.low)")
                return [both, both]
            default: return [arena.copy(String(repeating: "long ", count: 100)), arena.copy("\(address.low)")]
            }
        }
    }

    private func expected(_ last: UInt64) -> [String?] {
        switch last & 3 {
        case 0: [nil, nil]
        case 1: ["of \(last)", ""]
        case 2: ["both \(last)", "both \(last)"]
        default: [String(repeating: "long ", count: 100), "\(last)"]
        }
    }

    /// More addresses than are remembered, over and over: what is set is always what was found.
    @Test func isWhatTheLookupSays() throws {
        let (keys, asked) = (KeyTable(), Asked())
        let enricher = try #require(AddressEnricher(asked, keys))
        let numbers = try Asked.fields.map { try #require(keys.find($0)) }
        let event = Event(keys: keys)
        let addresses = (0..<2_000).map { "2001:db8::\(String($0, radix: 16))" }
        for (number, text) in (addresses + addresses.reversed()).enumerated() {
            let last = UInt64(number < 2_000 ? number : 3_999 - number)
            for _ in 0..<2 {
                event.reset()
                enricher.enrich(event.arena.copy(text), event)
                #expect(numbers.map { event.enriched.find($0).map { String($0) } } == expected(last))
            }
        }
        // The second time in a row nobody is asked, but for texts too long to keep.
        #expect(asked.count <= 4_000 + 1_000)
    }

    @Test func addressesOfBothFamiliesAreTwo() throws {
        let (keys, asked) = (KeyTable(), Asked())
        let enricher = try #require(AddressEnricher(asked, keys))
        let event = Event(keys: keys)
        for text in ["0.0.0.5", "::5", "0.0.0.5", "nonsense", ""] {
            event.reset()
            enricher.enrich(event.arena.copy(text), event)
        }
        #expect(asked.count == 3)
        #expect(event.enriched.count == 0)
    }
}
