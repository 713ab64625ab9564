/// Cuts a JSON array of objects into its elements while it arrives.
///
/// (1) Every byte is looked at once; one element is buffered, as long as it is.
/// (2) An element is handed out as an array of its own: `[`, its bytes, `]`.
/// (3) Something else than an array of objects (`null`) has no elements.
///
/// Depth 0 is outside, 1 in the array, 2 and more in an element.
struct ArraySplitter {
    private var depth = 0
    private var inString = false
    private var escaped = false
    private var element: [UInt8] = []

    /// - Parameter emit: false ends the work.
    mutating func feed(_ piece: UnsafeBufferPointer<UInt8>, _ emit: ([UInt8]) -> Bool) -> Bool {
        for byte in piece {
            if inString {
                element.append(byte)
                endString(byte)
                continue
            }
            switch byte {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 2 { element = [UInt8(ascii: "[")] }
            case UInt8(ascii: "\"") where depth > 1: inString = true
            default: break
            }
            if depth > 1 { element.append(byte) }
            guard byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") else { continue }
            depth = max(0, depth - 1)
            guard depth == 1 else { continue }
            element.append(UInt8(ascii: "]"))
            if !emit(element) { return false }
        }
        return true
    }

    private mutating func endString(_ byte: UInt8) {
        if escaped {
            escaped = false
        } else if byte == UInt8(ascii: "\\") {
            escaped = true
        } else if byte == UInt8(ascii: "\"") {
            inString = false
        }
    }
}
