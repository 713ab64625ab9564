import CrowdCore

/// Up to eight bytes that a text must begin with for a pattern to match: most texts that a pattern is tried on differ there,
/// and need not be given to an engine.
struct PatternBeginning {
    private static let most = 8
    private var bytes: UInt64 = 0
    private var mask: UInt64 = 0
    private var count = 0

    /// Of a pattern about which nothing is known.
    init() {}

    /// The characters behind a `^`, as far as they are ASCII and have one case only.
    init(_ tree: RegexNode) {
        let parts = tree.flattened
        guard case .textStart? = parts.first else { return }
        for part in parts.dropFirst() {
            guard case .literal(let scalar, fold: false) = part, scalar.isASCII, count < PatternBeginning.most else {
                break
            }
            bytes |= UInt64(scalar.value) << UInt64(8 * count)
            mask |= 0xff << UInt64(8 * count)
            count += 1
        }
    }

    /// Whether the text begins so.
    @inline(__always)
    func begins(_ text: ByteSlice) -> Bool {
        if text.count >= PatternBeginning.most {
            let head = UnsafeRawPointer(text.base).loadUnaligned(as: UInt64.self).littleEndian
            return head & mask == bytes
        }
        return count == 0 || beginsShort(text)
    }

    private func beginsShort(_ text: ByteSlice) -> Bool {
        guard text.count >= count else { return false }
        for at in 0..<count where text[at] != UInt8(truncatingIfNeeded: bytes >> UInt64(8 * at)) { return false }
        return true
    }
}
