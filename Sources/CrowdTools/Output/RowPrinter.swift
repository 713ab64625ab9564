import CrowdCore

/// Prints a list whose end is far away: rows as they come, as a table, CSV or JSON.
///
/// A table's columns are as wide as its first rows need.
struct RowPrinter: Sendable {
    /// Rows that decide about the widths of a table.
    private static let sample = 2_000
    private static let batch = 64 * 1024

    private let output: Invocation.Output
    private let terminal: Terminal
    private var table: Table
    private var running: (row: @Sendable ([String]) -> String, foot: String)?
    private(set) var count = 0
    private var pending = ""

    /// - Parameter header: of the table, or of the CSV.
    init(_ call: Invocation, header: [String]) {
        output = call.output
        terminal = call.terminal
        table = Table(header)
    }

    /// A row of a table or of CSV.
    mutating func add(_ cells: [String]) {
        if output == .raw {
            if count == 0 { pending += CSV.line(table.header) }
            pending += CSV.line(cells)
        } else if let running {
            pending += running.row(cells)
        } else {
            table.rows.append(cells)
            if table.rows.count == Self.sample { begin() }
        }
        count += 1
        flush(above: Self.batch)
    }

    /// An element of the JSON list.
    mutating func add(json: JSON) {
        pending += (count == 0 ? "[\n" : ",\n") + json.prettyElement
        count += 1
        flush(above: Self.batch)
    }

    /// - Parameter none: what is printed instead of a table without rows.
    mutating func finish(none: String) {
        switch output {
        case .json: pending += count == 0 ? "[]\n" : "\n]\n"
        case .raw: if count == 0 { pending += CSV.line(table.header) }
        case .human:
            if count == 0 {
                pending += none + "\n"
            } else {
                if running == nil { begin() }
                pending += running?.foot ?? ""
            }
        }
        flush(above: 0)
    }

    private mutating func begin() {
        let head = table.fullHead()
        pending += head.text
        running = (head.row, head.foot)
        table.rows = []
        flush(above: 0)
    }

    private mutating func flush(above limit: Int) {
        guard pending.utf8.count > limit else { return }
        terminal.print(pending, terminator: "")
        pending = ""
    }
}
