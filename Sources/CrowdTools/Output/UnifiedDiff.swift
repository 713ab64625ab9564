/// The difference of two texts in unified format, three lines of context (as `diff -u` prints it).
enum UnifiedDiff {
    private enum Edit: Equatable {
        case keep(Substring)
        case remove(Substring)
        case add(Substring)
    }

    private static let context = 3
    /// Above this many lines on both sides together, everything counts as replaced: bounds time and memory.
    private static let maxLines = 40_000

    /// - Returns: nothing for equal texts.
    static func text(_ oldName: String, _ old: String, _ newName: String, _ new: String) -> String {
        guard old != new else { return "" }
        let edits = edits(lines(old), lines(new))
        return "--- \(oldName)\n+++ \(newName)\n" + hunks(edits).map { hunk(edits, $0) }.joined()
    }

    private static func lines(_ text: String) -> [Substring] {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    private static func edits(_ old: [Substring], _ new: [Substring]) -> [Edit] {
        guard old.count + new.count <= maxLines else { return old.map(Edit.remove) + new.map(Edit.add) }
        let changes = new.difference(from: old)
        var removed: Set<Int> = []
        var added: Set<Int> = []
        for change in changes {
            switch change {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): added.insert(offset)
            }
        }
        var edits: [Edit] = []
        var (i, j) = (0, 0)
        while i < old.count || j < new.count {
            if i < old.count, removed.contains(i) {
                edits.append(.remove(old[i]))
                i += 1
            } else if j < new.count, added.contains(j) {
                edits.append(.add(new[j]))
                j += 1
            } else {
                edits.append(.keep(new[j]))
                i += 1
                j += 1
            }
        }
        return edits
    }

    /// Ranges of edits that are printed together.
    private static func hunks(_ edits: [Edit]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        for (index, edit) in edits.enumerated() {
            if case .keep = edit { continue }
            let (start, end) = (max(0, index - context), min(edits.count, index + context + 1))
            if let last = ranges.last, start <= last.upperBound {
                ranges[ranges.count - 1] = last.lowerBound..<end
            } else {
                ranges.append(start..<end)
            }
        }
        return ranges
    }

    private static func hunk(_ edits: [Edit], _ range: Range<Int>) -> String {
        let before = edits[..<range.lowerBound]
        let (oldStart, newStart) = (before.count(where: isOld), before.count(where: isNew))
        let (oldCount, newCount) = (edits[range].count(where: isOld), edits[range].count(where: isNew))
        var text = "@@ -\(place(oldStart, oldCount)) +\(place(newStart, newCount)) @@\n"
        for edit in edits[range] {
            switch edit {
            case .keep(let line): text += " \(line)\n"
            case .remove(let line): text += "-\(line)\n"
            case .add(let line): text += "+\(line)\n"
            }
        }
        return text
    }

    private static func place(_ before: Int, _ count: Int) -> String {
        let start = count == 0 ? before : before + 1
        return count == 1 ? "\(start)" : "\(start),\(count)"
    }

    private static func isOld(_ edit: Edit) -> Bool { if case .add = edit { false } else { true } }
    private static func isNew(_ edit: Edit) -> Bool { if case .remove = edit { false } else { true } }
}
