import CrowdCore

/// Dates and durations.
enum TimeFunctions {
    static let all: [Function] = [
        Function("now", [], .time, pure: false) { call throws(ValueError) in .time(Timestamp.now()) },
        Function("duration", [.string], .duration) { call throws(ValueError) in
            let text = try call.string(0)
            guard let span = GoDuration(text) else { throw ValueError("time: invalid duration \"\(text)\"") }
            return .duration(span)
        },
        Function("date", [.any, .any, .any], required: 1, .time) { call throws(ValueError) in
            let text = try call.text(0)
            let layouts = call.count > 1 ? [try call.string(1)] : standardLayouts
            for layout in layouts {
                if let time = GoLayout(layout).parse(text) { return .time(time) }
            }
            throw ValueError("invalid date \(text)")
        },
        Function("timezone", [.string], .string) { call throws(ValueError) in call[0] },
    ]

    private static let standardLayouts = [
        "2006-01-02", "15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04:05Z07:00",
        "2006-01-02T15:04:05.999999999Z07:00", "02 Jan 06 15:04 MST", "Monday, 02-Jan-06 15:04:05 MST",
        "Mon, 02 Jan 2006 15:04:05 MST", "Mon Jan _2 15:04:05 2006",
    ]
}

/// Go's methods on `time.Time` and `time.Duration`.
enum TimeMethods {
    static func result(of name: String, on type: StaticType) -> StaticType? {
        if type == .duration {
            return ["Seconds", "Minutes", "Hours"].contains(name)
                ? .float
                : ["Milliseconds", "Nanoseconds", "Microseconds"].contains(name)
                    ? .int : name == "String" ? .string : nil
        }
        switch name {
        case "Year", "Day", "Hour", "Minute", "Second", "Nanosecond", "YearDay", "Unix", "UnixNano", "UnixMilli":
            return .int
        case "Month", "Weekday": return .any
        case "Format", "String": return .string
        case "Add", "UTC", "Truncate", "AddDate", "Local": return .time
        case "Sub": return .duration
        case "Before", "After", "Equal", "IsZero": return .bool
        default: return nil
        }
    }

    static func call(_ receiver: Value, _ name: String, _ arguments: [Value], _ arena: Arena) throws(ValueError)
        -> Value
    {
        switch receiver {
        case .time(let time): return try call(time, name, arguments, arena)
        case .duration(let span): return try call(span, name, arena)
        default: throw ValueError("cannot call \(name) on \(receiver.kind)")
        }
    }

    private static func call(_ span: GoDuration, _ name: String, _ arena: Arena) throws(ValueError) -> Value {
        switch name {
        case "Seconds": return .float(span.seconds)
        case "Minutes": return .float(span.seconds / 60)
        case "Hours": return .float(span.seconds / 3_600)
        case "Milliseconds": return .int(span.nanoseconds / 1_000_000)
        case "Microseconds": return .int(span.nanoseconds / 1_000)
        case "Nanoseconds": return .int(span.nanoseconds)
        case "String": return .string(arena.copy(span.description))
        default: throw ValueError("type time.Duration has no method \(name)")
        }
    }

    private static func call(
        _ time: Timestamp, _ name: String, _ arguments: [Value], _ arena: Arena
    ) throws(ValueError) -> Value {
        let civil = time.civil
        switch name {
        case "Year": return .int(Int64(civil.year))
        case "Month": return .object(NamedNumber(civil.month, CivilTime.monthNames[civil.month - 1], "time.Month"))
        case "Day": return .int(Int64(civil.day))
        case "Hour": return .int(Int64(civil.hour))
        case "Minute": return .int(Int64(civil.minute))
        case "Second": return .int(Int64(civil.second))
        case "Nanosecond": return .int(Int64(civil.nanosecond))
        case "Weekday":
            return .object(NamedNumber(civil.weekday, CivilTime.weekdayNames[civil.weekday], "time.Weekday"))
        case "YearDay": return .int(Int64(civil.dayOfYear))
        case "Unix": return .int(time.seconds)
        case "UnixMilli": return .int(time.nanoseconds / 1_000_000)
        case "UnixNano": return .int(time.nanoseconds)
        case "IsZero": return .bool(time.nanoseconds == 0)
        case "String": return .string(arena.copy(time.goString))
        case "UTC", "Local": return .time(time.utc)
        case "Format": return .string(arena.copy(GoLayout(String(try arguments.text(0))).format(time)))
        default: return try calculate(time, name, arguments)
        }
    }

    private static func calculate(_ time: Timestamp, _ name: String, _ arguments: [Value]) throws(ValueError) -> Value {
        switch (name, arguments.first) {
        case ("Add", .duration(let span)): return .time(time + span)
        case ("Sub", .time(let other)): return .duration(time - other)
        case ("Before", .time(let other)): return .bool(time < other)
        case ("After", .time(let other)): return .bool(other < time)
        case ("Equal", .time(let other)): return .bool(time == other)
        case ("Truncate", .duration(let span)) where span.nanoseconds > 0:
            return .time(
                Timestamp(nanoseconds: time.nanoseconds - time.nanoseconds % span.nanoseconds, offset: time.offset))
        default: throw ValueError("type time.Time has no method \(name) for these arguments")
        }
    }
}

/// A number that prints as a name: Go's `time.Month` and `time.Weekday`.
final class NamedNumber: ValueObject {
    let number: Int
    let name: String
    let type: ObjectType

    init(_ number: Int, _ name: String, _ typeName: String) {
        (self.number, self.name) = (number, name)
        type = ObjectType(typeName).method("String", 0, [], .string)
    }

    func field(_ index: Int) -> Value { .null }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        .string(arena.copy(name))
    }
}
