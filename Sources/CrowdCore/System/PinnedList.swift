/// Objects that are gone through for every line: handed out without reference counting, which was an eighth of the
/// engine's time. Immutable; the objects live as long as the list.
public final class PinnedList<Element: AnyObject> {
    public let elements: [Element]
    @usableFromInline let places: UnsafeMutablePointer<Unmanaged<Element>>
    public let count: Int

    public init(_ elements: [Element]) {
        self.elements = elements
        count = elements.count
        places = .allocate(capacity: max(count, 1))
        for (index, element) in elements.enumerated() {
            (places + index).initialize(to: .passUnretained(element))
        }
    }

    deinit { places.deallocate() }

    /// Calls `body` with the element at `index`, which must be below `count`.
    @inlinable @inline(__always)
    public func with<Result, E: Error>(_ index: Int, _ body: (Element) throws(E) -> Result) throws(E) -> Result {
        let result = places[index]._withUnsafeGuaranteedRef { element -> Swift.Result<Result, E> in
            do throws(E) { return .success(try body(element)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

// Sendable: nothing is written after `init`.
extension PinnedList: @unchecked Sendable where Element: Sendable {}
