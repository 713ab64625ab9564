/// A growing array in pages that also loses its oldest elements, with indices that stay what they are.
///
/// (1) A copy taken as a snapshot makes later writes copy one page, not everything.
/// (2) Growing allocates one page and moves nothing: what is changed under a lock must not stop to move a million elements.
struct PagedArray<Element: Sendable>: Sendable {
    private static var pageBits: Int { 10 }
    private static var pageSize: Int { 1 << pageBits }
    private static var pageMask: Int { pageSize - 1 }

    private var pages: [[Element]] = []
    /// Of the oldest element that is still here; 0 as long as none was removed.
    private(set) var startIndex = 0
    private(set) var endIndex = 0

    /// Number of the first page that is still here.
    private var firstPage: Int { startIndex >> Self.pageBits }

    var count: Int { endIndex - startIndex }
    var isEmpty: Bool { startIndex == endIndex }
    var first: Element? { isEmpty ? nil : self[startIndex] }

    mutating func append(_ element: Element) {
        if endIndex & Self.pageMask == 0 {
            var page: [Element] = []
            page.reserveCapacity(Self.pageSize)
            pages.append(page)
        }
        pages[pages.count - 1].append(element)
        endIndex += 1
    }

    mutating func popLast() -> Element? {
        guard !isEmpty else { return nil }
        endIndex -= 1
        let element = pages[pages.count - 1].removeLast()
        if endIndex & Self.pageMask == 0 { pages.removeLast() }
        return element
    }

    /// Forgets the oldest; their room is given back a page at a time.
    mutating func removeFirst(_ number: Int) {
        let oldFirst = firstPage
        startIndex = min(startIndex + number, endIndex)
        if firstPage > oldFirst { pages.removeFirst(firstPage - oldFirst) }
    }

    mutating func swapAt(_ index: Int, _ other: Int) {
        let element = self[index]
        self[index] = self[other]
        self[other] = element
    }

    /// Looks at an element where it lies: a subscript may copy it.
    @inline(__always)
    func withElement<R>(_ index: Int, _ body: (borrowing Element) -> R) -> R {
        pages[index >> Self.pageBits - firstPage].withUnsafeBufferPointer { body($0[index & Self.pageMask]) }
    }

    subscript(index: Int) -> Element {
        _read { yield pages[index >> Self.pageBits - firstPage][index & Self.pageMask] }
        _modify { yield &pages[index >> Self.pageBits - firstPage][index & Self.pageMask] }
    }
}
