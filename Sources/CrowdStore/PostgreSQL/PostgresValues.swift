import CPostgres
import CrowdCore

/// One row of a result; valid while the result is.
struct PostgresRow: SQLRow {
    let result: OpaquePointer
    let row: Int32

    private func bytes(_ column: Int) -> UnsafeBufferPointer<UInt8> {
        let count = Int(crowd_pq_length(result, row, Int32(column)))
        guard count > 0, let start = crowd_pq_value(result, row, Int32(column)) else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return start.withMemoryRebound(to: UInt8.self, capacity: count) { UnsafeBufferPointer(start: $0, count: count) }
    }

    func isNull(_ column: Int) -> Bool { crowd_pq_is_null(result, row, Int32(column)) == 1 }
    func int(_ column: Int) -> Int64 { Int64(text(column)) ?? 0 }
    func double(_ column: Int) -> Double { Double(text(column)) ?? 0 }
    func text(_ column: Int) -> String { String(decoding: bytes(column), as: UTF8.self) }
    func bool(_ column: Int) -> Bool { bytes(column).first == UInt8(ascii: "t") }

    /// The server writes UTC as `+00`, without minutes.
    func time(_ column: Int) -> Timestamp? { isNull(column) ? nil : Timestamp(sqlite: text(column) + ":00") }
}

/// Values as libpq takes them: texts that end in NUL, one behind the other.
struct BoundValues {
    private var bytes: [CChar] = []
    /// Where each value begins; nil is NULL.
    private var starts: [Int?] = []

    init(_ values: [SQLValue]) {
        starts.reserveCapacity(values.count)
        for value in values {
            switch value {
            case .null: starts.append(nil)
            case .int(let int): append(String(int))
            case .double(let double): append("\(double)")
            case .text(let text): append(text)
            }
        }
    }

    /// A NUL, which the server does not take in a text, becomes U+FFFD.
    private mutating func append(_ text: String) {
        starts.append(bytes.count)
        for byte in text.utf8 {
            if byte == 0 {
                bytes += [0xEF, 0xBF, 0xBD].map { CChar(bitPattern: $0) }
            } else {
                bytes.append(CChar(bitPattern: byte))
            }
        }
        bytes.append(0)
    }

    func withPointers<R>(_ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R) -> R {
        bytes.withUnsafeBufferPointer { bytes in
            let pointers = starts.map { start in start.flatMap { bytes.baseAddress?.advanced(by: $0) } }
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}

/// A list of texts that ends in NULL, as libpq takes parameter names.
struct CStrings {
    private var values: BoundValues

    init(_ texts: [String]) { values = BoundValues(texts.map { .text($0) } + [.null]) }

    func withPointers<R>(_ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> R) -> R { values.withPointers(body) }
}
