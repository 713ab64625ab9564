import CrowdCore
import CrowdExpr

/// `leaky` and `queue` in conditions and overflow filters.
final class BucketObject: ValueObject {
    private var total = 0
    private var times: (first: Timestamp, last: Timestamp, overflowed: Timestamp)
    private(set) var queue: QueueObject

    /// The variable `queue` of conditions, and where its events are.
    static let queueSlot = 0
    static let eventsField = 0

    static let queueType = ObjectType("types.Queue")
        .field("Queue", eventsField, .list(.object(EventTypes.event))).field("L", 1, .int)
    static let bucketType = ObjectType("leakybucket.Leaky")
        .field("Total_count", 0, .int).field("First_ts", 1, .time).field("Last_ts", 2, .time)
        .field("Ovflw_ts", 3, .time).field("Queue", 4, .object(queueType)).field("Mapkey", 5, .string)
        .field("Mode", 6, .int)

    init() {
        let never = Timestamp(nanoseconds: 0)
        times = (never, never, never)
        queue = QueueObject([])
    }

    func show(_ bucket: BucketPointer, _ queue: QueueObject) {
        total = bucket.pointee.total
        times = (bucket.pointee.first, bucket.pointee.last, bucket.pointee.overflowed)
        self.queue = queue
    }

    init(_ bucket: BucketSummary) {
        total = bucket.total
        times = (bucket.first, bucket.last, bucket.overflowed)
        queue = QueueObject(bucket.queue)
    }

    var type: ObjectType { BucketObject.bucketType }

    func field(_ index: Int) -> Value {
        switch index {
        case 0: .int(Int64(total))
        case 1: .time(times.first)
        case 2: .time(times.last)
        case 3: .time(times.overflowed)
        case 4: .object(queue)
        case 5: .string(.empty)
        default: .int(0)
        }
    }
}

final class QueueObject: ValueObject {
    private var events: ListValue

    init(_ events: [FrozenEvent]) {
        self.events = ListValue(events.map { .object($0) })
    }

    /// Has the events of another queue from now on, and remembers nothing of them.
    func show(_ queue: [FrozenEvent]) {
        events.items.removeAll(keepingCapacity: true)
        for event in queue { events.items.append(.object(event)) }
    }

    /// Takes over what was appended to the queue since; a queue that lost events at its front is taken over anew.
    func follow(_ queue: [FrozenEvent]) {
        if events.memo == nil || !isBeginning(of: queue) {
            events = ListValue([])
            events.memo = FilterMemo()
        }
        for event in queue[events.items.count...] { events.items.append(.object(event)) }
    }

    private func isBeginning(of queue: [FrozenEvent]) -> Bool {
        guard events.items.count <= queue.count else { return false }
        guard case .object(let first)? = events.items.first else { return true }
        return first === queue.first
    }

    var type: ObjectType { BucketObject.queueType }
    func field(_ index: Int) -> Value { index == 0 ? .list(events) : .int(Int64(events.items.count)) }
}
