/// A growing array in pages, so that a copy taken as a snapshot makes later writes copy one page, not everything.
struct PagedArray<Element: Sendable>: Sendable {
    private static var pageBits: Int { 10 }
    private static var pageSize: Int { 1 << pageBits }

    private var pages: [[Element]] = []
    private(set) var count = 0

    mutating func append(_ element: Element) {
        if count & (Self.pageSize - 1) == 0 {
            var page: [Element] = []
            page.reserveCapacity(Self.pageSize)
            pages.append(page)
        }
        pages[count >> Self.pageBits].append(element)
        count += 1
    }

    /// Looks at an element where it lies: a subscript may copy it.
    @inline(__always)
    func withElement<R>(_ index: Int, _ body: (borrowing Element) -> R) -> R {
        pages[index >> Self.pageBits].withUnsafeBufferPointer { body($0[index & (Self.pageSize - 1)]) }
    }

    subscript(index: Int) -> Element {
        _read { yield pages[index >> Self.pageBits][index & (Self.pageSize - 1)] }
        _modify { yield &pages[index >> Self.pageBits][index & (Self.pageSize - 1)] }
    }
}
