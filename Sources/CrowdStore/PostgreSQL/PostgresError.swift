import CPostgres

/// What PostgreSQL's error codes mean to us.
enum PostgresError {
    static func error(of result: OpaquePointer?) -> StoreError {
        let code = text(crowd_pq_state(result))
        return StoreError(kind(of: code), "\(text(crowd_pq_error(result))) (\(code))")
    }

    static func kind(of code: String) -> StoreError.Kind {
        switch code {
        case "53100": .diskFull
        case "58030": .inputOutput
        case "25006": .readOnly
        case "40001", "40P01", "55P03", "57014": .busy
        case "57P01", "57P02", "57P03", "57P05", "53300": .unavailable
        case "XX001", "XX002": .corrupt
        case "42P01", "42703", "0A000": .outdated
        case "42501", "3F000": .unusable
        default: kind(ofClass: code.prefix(2))
        }
    }

    private static func kind(ofClass name: Substring) -> StoreError.Kind {
        switch name {
        case "08": .unavailable
        case "22", "54": .unfit
        case "23": .constraint
        case "28", "3D": .unusable
        default: .other
        }
    }

    /// libpq's text in one line.
    static func text(_ pointer: UnsafePointer<CChar>?) -> String {
        guard let pointer else { return "" }
        let lines = String(cString: pointer).split(whereSeparator: \.isNewline)
        return lines.map { String($0.drop { $0 == " " || $0 == "\t" }) }.joined(separator: " ")
    }
}
