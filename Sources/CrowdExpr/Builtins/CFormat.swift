import Glibc

/// C's number formatting, for the forms that Swift's own text of a number has not.
enum CFormat {
    static func fixed(_ number: Double, decimals: Int) -> String { format("%.\(decimals)f", number) }

    static func format(_ pattern: String, _ number: Double) -> String {
        var buffer = [CChar](repeating: 0, count: 400)
        let length = withVaList([number]) { vsnprintf(&buffer, buffer.count, pattern, $0) }
        let used = min(max(Int(length), 0), buffer.count - 1)
        return String(decoding: buffer[..<used].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
