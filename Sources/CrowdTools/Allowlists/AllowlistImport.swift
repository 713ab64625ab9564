import CrowdCore
import CrowdStore

/// `cscli allowlists import`: `value[,expiration][,comment]` with a header line.
enum AllowlistImport {
    static func run(_ call: Invocation) throws {
        let rows = try CSVReader.rows(in: try InputFile.read(call.flags.text("input")))
        let items = try items(from: rows)
        guard !items.isEmpty else { throw CommandError("no values to import") }
        let database = try call.database()
        let list = try AllowlistEditing.editable(call.words[0], in: database, "update")
        try AllowlistEditing.store(items, in: list, of: database, call)
    }

    /// Row numbers in messages count the header: the first value stands in row 2.
    private static func items(from rows: [[String: String]]) throws(CommandError) -> [AllowlistChanges.NewItem] {
        var items: [AllowlistChanges.NewItem] = []
        for (index, row) in rows.enumerated() {
            guard let value = row["value"], !value.isEmpty else {
                throw CommandError("row \(index + 1): missing 'value'")
            }
            guard let range = IPRange(unmapping: value) else {
                throw CommandError("row \(index + 1): \(AllowlistEditing.fault(of: value))")
            }
            items.append(
                .init(
                    value: value, range: range, comment: row["comment"] ?? "",
                    expiresAt: try expiry(row["expiration"] ?? "", row: index + 1)))
        }
        return items
    }

    private static func expiry(_ text: String, row: Int) throws(CommandError) -> Timestamp? {
        guard !text.isEmpty else { return nil }
        guard let duration = GoDuration(text, allowingDays: true) else {
            throw CommandError("row \(row): invalid expiration \"\(text)\": time: invalid duration \"\(text)\"")
        }
        return Timestamp.now() + duration
    }
}
