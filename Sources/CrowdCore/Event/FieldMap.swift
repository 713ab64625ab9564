/// One of an event's text maps, as a flat table indexed by key number.
///
/// (1) A slot is present when its stamp equals the table's generation, so clearing is one increment. (2) `keys` lists
/// what was set, in order of first setting. (3) Grows when a key beyond its size is set. O(1) each, no allocation once
/// it has its size. One owner, one thread.
public final class FieldMap {
    @usableFromInline struct Slot {
        @usableFromInline var base: UnsafePointer<UInt8>
        @usableFromInline var count: UInt32
        @usableFromInline var stamp: UInt32
    }

    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    @usableFromInline var capacity: Int
    @usableFromInline var generation: UInt32 = 1
    /// As many as slots: a key is listed once.
    private var order: UnsafeMutablePointer<FieldKey>
    public private(set) var count = 0

    /// What was set, in order of first setting; valid until the next change.
    public var keys: UnsafeBufferPointer<FieldKey> { UnsafeBufferPointer(start: order, count: count) }

    public init(capacity: Int = 64) {
        self.capacity = max(capacity, 16)
        slots = .allocate(capacity: self.capacity)
        slots.initialize(repeating: FieldMap.absent, count: self.capacity)
        order = .allocate(capacity: self.capacity)
    }

    deinit {
        slots.deallocate()
        order.deallocate()
    }

    private static var absent: Slot { Slot(base: ByteSlice.empty.base, count: 0, stamp: 0) }

    public func removeAll() {
        count = 0
        generation &+= 1
        guard generation == 0 else { return }
        slots.update(repeating: FieldMap.absent, count: capacity)
        generation = 1
    }

    /// The value, or nil when the key was not set.
    @inlinable public func find(_ key: FieldKey) -> ByteSlice? {
        guard key < capacity, slots[key].stamp == generation else { return nil }
        return ByteSlice(base: slots[key].base, count: Int(slots[key].count))
    }

    /// The value, empty when the key was not set: how Go reads a missing key.
    @inlinable public subscript(_ key: FieldKey) -> ByteSlice { find(key) ?? .empty }

    /// Stores a slice that must live as long as the event.
    public func set(_ key: FieldKey, _ value: ByteSlice) {
        guard key < capacity else { return setBeyond(key, value) }
        if slots[key].stamp != generation {
            order[count] = key
            count &+= 1
        }
        slots[key] = Slot(base: value.base, count: UInt32(truncatingIfNeeded: value.count), stamp: generation)
    }

    /// Apart, so that nothing needs saving where there is room.
    @inline(never)
    private func setBeyond(_ key: FieldKey, _ value: ByteSlice) {
        grow(to: key + 1)
        set(key, value)
    }

    /// Writes the texts that were set, in order, from `start` on; gives the place behind them.
    public func fill(_ texts: UnsafeMutableBufferPointer<ByteSlice>, from start: Int) -> Int {
        for index in 0..<count {
            let slot = slots[order[index]]
            texts.initializeElement(at: start + index, to: ByteSlice(base: slot.base, count: Int(slot.count)))
        }
        return start + count
    }

    /// What was set, in order, at the end of a row of entries.
    func append(to entries: inout [EventBuffer.Entry]) {
        for index in 0..<count {
            let slot = slots[order[index]]
            entries.append(EventBuffer.Entry(base: slot.base, count: slot.count, key: UInt32(order[index])))
        }
    }

    private func grow(to size: Int) {
        let larger = max(size, capacity * 2)
        let table = UnsafeMutablePointer<Slot>.allocate(capacity: larger)
        table.initialize(repeating: FieldMap.absent, count: larger)
        table.update(from: slots, count: capacity)
        let longer = UnsafeMutablePointer<FieldKey>.allocate(capacity: larger)
        longer.update(from: order, count: count)
        slots.deallocate()
        order.deallocate()
        slots = table
        order = longer
        capacity = larger
    }
}
