extension Alert: WireModel {
    /// The members that a request must carry, in the order of the reference's messages.
    private static let required: [(key: String, bit: UInt16)] = [
        ("capacity", Seen.capacity), ("events", Seen.events), ("events_count", Seen.eventsCount),
        ("leakspeed", Seen.leakspeed), ("message", Seen.message), ("scenario", Seen.scenario),
        ("scenario_hash", Seen.scenarioHash), ("scenario_version", Seen.scenarioVersion),
        ("simulated", Seen.simulated), ("source", Seen.source), ("start_at", Seen.startAt), ("stop_at", Seen.stopAt),
    ]

    private enum Seen {
        static let capacity: UInt16 = 1
        static let events: UInt16 = 1 << 1
        static let eventsCount: UInt16 = 1 << 2
        static let leakspeed: UInt16 = 1 << 3
        static let message: UInt16 = 1 << 4
        static let scenario: UInt16 = 1 << 5
        static let scenarioHash: UInt16 = 1 << 6
        static let scenarioVersion: UInt16 = 1 << 7
        static let simulated: UInt16 = 1 << 8
        static let source: UInt16 = 1 << 9
        static let startAt: UInt16 = 1 << 10
        static let stopAt: UInt16 = 1 << 11
    }

    init(from reader: inout JSONReader, missing: inout MissingMembers) throws(JSONError) {
        var seen: UInt16 = 0
        try reader.beginObject()
        while let key = try reader.nextKey() {
            if try reader.null() { continue }
            if try readRequired(key, from: &reader, seen: &seen, missing: &missing) { continue }
            try readOptional(key, from: &reader, missing: &missing)
        }
        for member in Self.required { missing.require(seen & member.bit != 0, member.key) }
    }

    private mutating func readRequired(
        _ key: JSONText, from reader: inout JSONReader, seen: inout UInt16, missing: inout MissingMembers
    ) throws(JSONError) -> Bool {
        let bit: UInt16
        switch key {
        case "capacity": (capacity, bit) = (try reader.int32(), Seen.capacity)
        case "events": (events, bit) = (try AlertEvent.list(&reader, missing: &missing, under: "events"), Seen.events)
        case "events_count": (eventsCount, bit) = (try reader.int32(), Seen.eventsCount)
        case "leakspeed": (leakspeed, bit) = (try reader.string(), Seen.leakspeed)
        case "message": (message, bit) = (try reader.string(), Seen.message)
        case "scenario": (scenario, bit) = (try reader.string(), Seen.scenario)
        case "scenario_hash": (scenarioHash, bit) = (try reader.string(), Seen.scenarioHash)
        case "scenario_version": (scenarioVersion, bit) = (try reader.string(), Seen.scenarioVersion)
        case "simulated": (simulated, bit) = (try reader.bool(), Seen.simulated)
        case "source":
            var nested = MissingMembers()
            (source, bit) = (try AlertSource(from: &reader, missing: &nested), Seen.source)
            missing.adopt(nested, under: "source")
        case "start_at": (startAt, bit) = (try reader.string(), Seen.startAt)
        case "stop_at": (stopAt, bit) = (try reader.string(), Seen.stopAt)
        default: return false
        }
        seen |= bit
        return true
    }

    private mutating func readOptional(
        _ key: JSONText, from reader: inout JSONReader, missing: inout MissingMembers
    ) throws(JSONError) {
        switch key {
        case "id": id = try reader.int64()
        case "uuid": uuid = try reader.string()
        case "machine_id": machineID = try reader.string()
        case "created_at": createdAt = try reader.string()
        case "remediation": remediation = try reader.bool()
        case "decisions": decisions = try Decision.list(&reader, missing: &missing, under: "decisions")
        case "meta": meta = try MetaItem.list(&reader, missing: &missing, under: "meta")
        case "labels":
            var list: [String] = []
            try reader.beginArray()
            while try reader.nextElement() { list.append(try reader.string()) }
            labels = list
        case "kind": kind = try reader.string()
        default: try reader.skip()
        }
    }
}
