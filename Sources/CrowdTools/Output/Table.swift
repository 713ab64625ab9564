import Glibc

/// A table for people: with all its borders, or light.
struct Table {
    enum Style { case full, light }

    var title: String?
    /// Empty for a table that has none.
    var header: [String]
    var rows: [[String]] = []
    /// Columns of numbers, which stand right.
    var numbers: Set<Int> = []
    /// Of a full table: a line above the header, where equal neighbours become one cell.
    var groups: [String] = []
    /// Of a full table: a last line, right-aligned.
    var footer: [String] = []

    init(_ header: [String], title: String? = nil) {
        self.header = header
        self.title = title
    }

    func text(_ style: Style) -> String {
        switch style {
        case .full: full
        case .light: light
        }
    }

    private var widths: [Int] {
        let all = [header, footer].filter { !$0.isEmpty } + rows
        var widths = (all.first ?? []).indices.map { column in
            all.map { Self.lines(of: $0[column]).map(Self.width).max() ?? 0 }.max() ?? 0
        }
        for group in mergedGroups {
            let missing = Self.width(group.text) - Self.width(of: group.columns, widths)
            widths[group.columns.upperBound - 1] += max(0, missing)
        }
        return widths
    }

    private var mergedGroups: [(text: String, columns: Range<Int>)] {
        var merged: [(text: String, columns: Range<Int>)] = []
        for (column, text) in groups.enumerated() {
            if let last = merged.last, last.text == text {
                merged[merged.count - 1].columns = last.columns.lowerBound..<(column + 1)
            } else {
                merged.append((text, column..<(column + 1)))
            }
        }
        return merged
    }

    /// Of the text in a cell that several columns became.
    private static func width(of columns: Range<Int>, _ widths: [Int]) -> Int {
        widths[columns].reduce(0, +) + 3 * (columns.count - 1)
    }

    private var full: String {
        let widths = widths
        let box = isRounded ? Box.rounded : Box.ascii
        let merged = mergedGroups
        let groupWidths = merged.isEmpty ? widths : merged.map { Self.width(of: $0.columns, widths) }
        var text = ""
        if let title {
            let inner = Self.width(of: widths.indices, widths)
            text += box.rule([inner], .top)
            for line in Self.cut(title, inner) { text += "\(box.bar) \(Self.pad(line, inner)) \(box.bar)\n" }
        }
        text += box.rule(groupWidths, title == nil ? .top : .underTitle)
        if !merged.isEmpty { text += Self.boxRow(merged.map(\.text), groupWidths, box, placeHeader) }
        if !header.isEmpty {
            text += Self.boxRow(header, widths, box, placeHeader) + box.rule(widths, .middle)
        }
        for row in rows { text += Self.boxRow(row, widths, box, place) }
        if !footer.isEmpty {
            if !rows.isEmpty { text += box.rule(widths, .middle) }
            text += Self.boxRow(footer, widths, box) { cell, width, _ in Self.alignRight(cell, width) }
        }
        return text + box.rule(widths, .bottom)
    }

    /// A title that is longer than the table goes on below, wherever it is cut.
    private static func cut(_ title: String, _ width: Int) -> [String] {
        var (rest, lines) = (Substring(title), [String]())
        while !rest.isEmpty {
            lines.append(String(rest.prefix(max(width, 1))))
            rest = rest.dropFirst(max(width, 1))
        }
        return lines
    }

    private func place(_ cell: String, _ width: Int, _ column: Int) -> String {
        numbers.contains(column) ? Self.alignRight(cell, width) : Self.pad(cell, width)
    }

    /// Above numbers that have a footer, what they are of stands left.
    private func placeHeader(_ cell: String, _ width: Int, _ column: Int) -> String {
        column == 0 && !footer.isEmpty ? Self.pad(cell, width) : Self.center(cell, width)
    }

    /// The full style in pieces, for tables too long to be held: rows that come after the head are as wide as those
    /// that made it, or stick out.
    func fullHead() -> (text: String, row: @Sendable ([String]) -> String, foot: String) {
        let (widths, box) = (widths, isRounded ? Box.rounded : Box.ascii)
        let row: @Sendable ([String]) -> String = { cells in
            Self.boxRow(cells, widths, box) { cell, width, _ in Self.pad(cell, width) }
        }
        let head = box.rule(widths, .top) + Self.boxRow(header, widths, box, placeHeader) + box.rule(widths, .middle)
        return (head + rows.map(row).joined(), row, box.rule(widths, .bottom))
    }

    /// A terminal that shows colours shows boxes as well: round ones instead of ASCII.
    private var isRounded: Bool {
        guard getenv("NO_COLOR") == nil else { return false }
        return isatty(1) == 1 || getenv("CLICOLOR_FORCE") != nil
    }

    private static func boxRow(
        _ row: [String], _ widths: [Int], _ box: Box, _ place: (String, Int, Int) -> String
    ) -> String {
        let cells = row.map(lines)
        let height = cells.map(\.count).max() ?? 1
        return (0..<height).map { line -> String in
            let texts = zip(cells, widths).enumerated().map { column, cell -> String in
                " \(place(line < cell.0.count ? cell.0[line] : "", cell.1, column)) \(box.bar)"
            }
            return box.bar + texts.joined() + "\n"
        }.joined()
    }

    private var light: String {
        let widths = widths
        let length = widths.reduce(0) { $0 + $1 + 2 }
        let rule = String(repeating: "-", count: max(length, (title?.count ?? 0) + 2)) + "\n"
        var text = ""
        if let title { text += rule + " " + Self.pad(title, max(0, rule.count - 3)) + " \n" }
        text += rule
        if !header.isEmpty { text += Self.lightRow(header, widths) + rule }
        for row in rows { text += Self.lightRow(row, widths, numbers) }
        return text + rule
    }

    private static func lightRow(_ row: [String], _ widths: [Int], _ numbers: Set<Int> = []) -> String {
        let cells = zip(row, widths).enumerated().map { column, cell in
            numbers.contains(column) ? alignRight(cell.0, cell.1) : pad(cell.0.printable, cell.1)
        }
        return cells.map { " \($0) " }.joined() + "\n"
    }

    private static let maxCellWidth = 60

    /// A cell's lines, wrapped between words where it can be.
    private static func lines(of cell: String) -> [String] {
        cell.printable.split(separator: "\n", omittingEmptySubsequences: false).flatMap { line -> [String] in
            guard line.count > maxCellWidth else { return [String(line)] }
            var lines: [String] = []
            var current = ""
            for word in line.split(separator: " ", omittingEmptySubsequences: false) {
                if !current.isEmpty && current.count + word.count + 1 > maxCellWidth {
                    lines.append(current)
                    current = ""
                }
                current += current.isEmpty ? String(word) : " \(word)"
            }
            return lines + [current]
        }
    }

    /// Columns on a terminal: pictures take two, the selector behind one none.
    private static func width(_ text: String) -> Int {
        text.unicodeScalars.reduce(0) { $0 + ($1.value == 0xFE0F ? 0 : $1.value >= 0x1F000 ? 2 : 1) }
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - self.width(text)))
    }

    private static func alignRight(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - self.width(text))) + text
    }

    private static func center(_ text: String, _ width: Int) -> String {
        let room = max(0, width - self.width(text))
        return String(repeating: " ", count: room / 2) + text + String(repeating: " ", count: room - room / 2)
    }
}

/// The lines around cells.
private struct Box {
    enum Rule { case top, underTitle, middle, bottom }

    let bar: String
    let dash: String
    /// Left end, crossing and right end of each rule.
    let corners: [Rule: (String, String, String)]

    static let ascii = Box(
        bar: "|", dash: "-",
        corners: [
            .top: ("+", "+", "+"), .underTitle: ("+", "+", "+"), .middle: ("+", "+", "+"), .bottom: ("+", "+", "+"),
        ])
    static let rounded = Box(
        bar: "│", dash: "─",
        corners: [
            .top: ("╭", "┬", "╮"), .underTitle: ("├", "┬", "┤"), .middle: ("├", "┼", "┤"), .bottom: ("╰", "┴", "╯"),
        ])

    func rule(_ widths: [Int], _ rule: Rule) -> String {
        let (left, crossing, right) = corners[rule] ?? ("+", "+", "+")
        return left + widths.map { String(repeating: dash, count: $0 + 2) }.joined(separator: crossing) + right + "\n"
    }
}

/// RFC 4180, as Go's writer does: quotes where they are needed, lines end in a line feed.
enum CSV {
    static func line(_ cells: [String]) -> String { cells.map(quoted).joined(separator: ",") + "\n" }

    private static func quoted(_ cell: String) -> String {
        let needsQuotes =
            cell.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D } || cell.first == " "
        return needsQuotes ? "\"\(cell.replacing("\"", with: "\"\""))\"" : cell
    }
}
