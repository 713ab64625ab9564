/// A hash index that holds slot numbers only: the keys lie in the slots themselves.
///
/// (1) Eight bytes a cell, at most 7 cells in 8 in use; a look-up costs two or three cache misses.
/// (2) A thousand parts that grow each by itself, so that no insertion into an index of a million moves more than some
///     thousand cells: it happens under a lock that every poll needs.
struct SlotTable: Sendable {
    private static var partBits: UInt32 { 10 }

    private var parts = [Part](repeating: Part(), count: 1 << partBits)

    /// Parts are told apart by the upper bits of the hash, cells in them by the lower ones.
    private static func part(_ hash: UInt32) -> Int { Int(hash >> (32 - partBits)) }

    /// A slot with that hash for which `matches` is true.
    func find(hash: UInt32, where matches: (Int) -> Bool) -> Int? {
        parts[Self.part(hash)].find(hash: hash, where: matches)
    }

    mutating func insert(_ slot: Int, hash: UInt32) { parts[Self.part(hash)].insert(slot, hash: hash) }

    mutating func remove(_ slot: Int, hash: UInt32) { parts[Self.part(hash)].remove(slot, hash: hash) }

    /// Puts another slot in the place of one with the same key.
    mutating func replace(_ slot: Int, with other: Int, hash: UInt32) {
        parts[Self.part(hash)].replace(slot, with: other, hash: hash)
    }
}

extension SlotTable {
    /// Linear probing; removal closes the gap, so there are no tombstones and no growth by churn.
    private struct Part: Sendable {
        private struct Cell {
            var hash: UInt32
            /// -1 is an empty cell.
            var slot: Int32
        }

        private var cells: [Cell] = []
        private var count = 0

        private var mask: Int { cells.count - 1 }

        func find(hash: UInt32, where matches: (Int) -> Bool) -> Int? {
            guard !cells.isEmpty else { return nil }
            var index = Int(hash) & mask
            while cells[index].slot >= 0 {
                if cells[index].hash == hash && matches(Int(cells[index].slot)) { return Int(cells[index].slot) }
                index = (index + 1) & mask
            }
            return nil
        }

        mutating func insert(_ slot: Int, hash: UInt32) {
            if count * 8 >= cells.count * 7 { grow() }
            place(Cell(hash: hash, slot: Int32(slot)))
            count += 1
        }

        mutating func remove(_ slot: Int, hash: UInt32) {
            guard let index = cell(of: slot, hash: hash) else { return }
            count -= 1
            closeGap(at: index)
        }

        mutating func replace(_ slot: Int, with other: Int, hash: UInt32) {
            if let index = cell(of: slot, hash: hash) { cells[index].slot = Int32(other) }
        }

        private func cell(of slot: Int, hash: UInt32) -> Int? {
            guard !cells.isEmpty else { return nil }
            var index = Int(hash) & mask
            while cells[index].slot >= 0 {
                if Int(cells[index].slot) == slot { return index }
                index = (index + 1) & mask
            }
            return nil
        }

        private mutating func place(_ cell: Cell) {
            var index = Int(cell.hash) & mask
            while cells[index].slot >= 0 { index = (index + 1) & mask }
            cells[index] = cell
        }

        private mutating func closeGap(at start: Int) {
            var (gap, index) = (start, (start + 1) & mask)
            while cells[index].slot >= 0 {
                let home = Int(cells[index].hash) & mask
                if (index - home) & mask >= (index - gap) & mask {
                    cells[gap] = cells[index]
                    gap = index
                }
                index = (index + 1) & mask
            }
            cells[gap].slot = -1
        }

        private mutating func grow() {
            let old = cells
            cells = Array(repeating: Cell(hash: 0, slot: -1), count: max(8, old.count * 2))
            for cell in old where cell.slot >= 0 { place(cell) }
        }
    }
}
