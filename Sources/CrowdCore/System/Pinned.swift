/// An object of loaded content that is looked at for every line, or none: asked without reference counting.
///
/// To be kept by an immutable object, which keeps the one in here alive.
public struct Pinned<Object: AnyObject & Sendable>: @unchecked Sendable {
    // Sendable: nothing is written after `init`, and the object is Sendable.
    public let object: Object?
    @usableFromInline let place: Unmanaged<Object>?

    public init(_ object: Object?) {
        self.object = object
        place = object.map { .passUnretained($0) }
    }

    @inlinable public var isEmpty: Bool { place == nil }

    /// What `body` makes of the object; nil when there is none.
    @inlinable @inline(__always)
    public func with<Result, E: Error>(_ body: (Object) throws(E) -> Result) throws(E) -> Result? {
        guard let place else { return nil }
        let result = place._withUnsafeGuaranteedRef { object -> Swift.Result<Result, E> in
            do throws(E) { return .success(try body(object)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}

/// A row of plain values of loaded content that is gone through for every line: nothing is counted or checked.
public final class PinnedRow<Element: Sendable>: @unchecked Sendable {
    // Sendable: nothing is written after `init`, and the elements are Sendable.
    public let elements: UnsafeBufferPointer<Element>

    public init(_ elements: [Element]) {
        let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: elements.count)
        _ = memory.initialize(from: elements)
        self.elements = UnsafeBufferPointer(memory)
    }

    deinit {
        let memory = UnsafeMutableBufferPointer(mutating: elements)
        memory.deinitialize()
        memory.deallocate()
    }
}

/// Rows of plain values by text.
public final class PinnedRows<Element: Sendable>: @unchecked Sendable {
    // Sendable: nothing is written after `init`.
    private let rows: [PinnedRow<Element>]
    private let places: [ByteSlice: UnsafeBufferPointer<Element>]

    public init(_ rows: [ByteSlice: [Element]]) {
        let pinned = rows.mapValues { PinnedRow($0) }
        self.rows = Array(pinned.values)
        places = pinned.mapValues(\.elements)
    }

    public subscript(_ text: ByteSlice) -> UnsafeBufferPointer<Element>? { places[text] }
}
