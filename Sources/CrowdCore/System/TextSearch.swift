extension StringProtocol {
    /// Where a text stands for the first time; nil when it does not, or is empty.
    public func range(ofFirst text: String) -> Range<Index>? {
        guard !text.isEmpty else { return nil }
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
            at = index(after: at)
        }
        return nil
    }
}
