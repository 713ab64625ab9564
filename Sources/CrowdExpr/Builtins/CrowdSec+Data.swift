import CrowdCore
import CrowdText
import Glibc

extension CrowdSecFunctions {
    /// Addresses and ranges.
    static let addresses: [Function] = [
        Function("IpInRange", [.string, .string], .bool) { call throws(ValueError) in
            let (address, range) = (IPAddress(ascii: try call.text(0).buffer), IPRange(ascii: try call.text(1).buffer))
            guard let address, let range else { return .bool(false) }
            return .bool(address.isIn(range.contains))
        },
        Function("IsIP", [.string], .bool) { call throws(ValueError) in
            .bool(AddressTest.isAddress.holds(IPAddress(ascii: try call.text(0).buffer)))
        },
        Function("IsIPV4", [.string], .bool) { call throws(ValueError) in
            .bool(AddressTest.isV4.holds(IPAddress(ascii: try call.text(0).buffer)))
        },
        Function("IsIPV6", [.string], .bool) { call throws(ValueError) in
            .bool(AddressTest.isV6.holds(IPAddress(ascii: try call.text(0).buffer)))
        },
        Function("IpToRange", [.string, .string], .string) { call throws(ValueError) in
            var length = try call.string(1)
            if length.hasPrefix("/") { length.removeFirst() }
            guard let address = IPAddress(ascii: try call.text(0).buffer), let bits = Int(length),
                (0...address.bitWidth).contains(bits)
            else { return .string(.empty) }
            return call.string(IPRange(address, prefixLength: bits).description)
        },
        Function("Distance", [.string, .string, .string, .string], .float) { call throws(ValueError) in
            var points: [Double] = []
            for index in 0..<4 {
                guard let value = Numbers.double(try call.text(index)) else {
                    throw ValueError("lat or long is not a number: \"\(try call.text(index))\"")
                }
                points.append(value)
            }
            if (points[0] == 0 && points[1] == 0) || (points[2] == 0 && points[3] == 0) { return .float(0) }
            return .float(kilometres(points))
        },
    ]

    /// Haversine, earth radius 6371 km.
    private static func kilometres(_ points: [Double]) -> Double {
        let radians = points.map { $0 * .pi / 180 }
        let (lat, long) = (radians[2] - radians[0], radians[3] - radians[1])
        let a = pow(sin(lat / 2), 2) + cos(radians[0]) * cos(radians[2]) * pow(sin(long / 2), 2)
        return 2 * 6_371 * asin(min(1, a.squareRoot()))
    }

    /// JSON, key-value text, XML.
    static let extraction: [Function] = [
        Function("JsonExtract", [.string, .string], .string) { call throws(ValueError) in
            .string(try JSONPath.extract(call.text(0), call.text(1)) ?? .empty)
        },
        Function("JsonExtractUnescape", [.string, .string], variadic: true, .string) { call throws(ValueError) in
            .string(try JSONPath.extractUnescaped(call.text(0), call.text(1), call.arena) ?? .empty)
        },
        Function("JsonExtractSlice", [.string, .string], .any) { call throws(ValueError) in
            guard let raw = try JSONPath.extract(call.text(0), call.text(1)), raw.count > 0, raw[0] == UInt8(ascii: "[")
            else {
                return .null
            }
            return (try? ValueJSON.parse(raw, arena: call.arena)) ?? .null
        },
        Function("JsonExtractObject", [.string, .string], .any) { call throws(ValueError) in
            guard let raw = try JSONPath.extract(call.text(0), call.text(1)), raw.count > 0, raw[0] == UInt8(ascii: "{")
            else {
                return .null
            }
            return (try? ValueJSON.parse(raw, arena: call.arena)) ?? .null
        },
        Function("UnmarshalJSON", [.string, .map(.any), .string], .any, pure: false) { call throws(ValueError) in
            let value = try ValueJSON.parse(call.text(0), arena: call.arena)
            try call.map(1).set(call.arena.copy(try call.text(2)), value)
            return .null
        },
        Function("ParseKV", [.string, .map(.any), .string], .any, pure: false) { call throws(ValueError) in
            let pairs = KeyValueText.strict(try call.text(0))
            guard !pairs.isEmpty else { throw ValueError("could not find any key/value pair in line") }
            try KeyValueText.store(pairs, call)
            return .null
        },
        Function("ParseKVLax", [.string, .map(.any), .string], .any, pure: false) { call throws(ValueError) in
            try KeyValueText.store(KeyValueText.lax(try call.text(0), call.arena), call)
            return .null
        },
        Function("XMLGetNodeValue", [.string, .string], .string) { call throws(ValueError) in
            .string(call.arena.copy(XMLPath.text(try call.text(0), try call.string(1)) ?? ""))
        },
        Function("XMLGetAttributeValue", [.string, .string, .string], .string) { call throws(ValueError) in
            let value = XMLPath.attribute(try call.text(0), try call.string(1), try call.string(2))
            return .string(call.arena.copy(value ?? ""))
        },
    ]

    static let conversions: [Function] = [
        Function("ToString", [.any], .string) { call throws(ValueError) in
            if case .string = call[0] { call[0] } else { .string(.empty) }
        },
        Function("ToJsonString", [.any], .string) { call throws(ValueError) in
            call.string((try? ValueJSON.text(call[0])) ?? "")
        },
        Function("Atof", [.string], .float) { call throws(ValueError) in
            .float(Numbers.double(try call.text(0)) ?? 0)
        },
        Function("ParseUnix", [.string], .string) { call throws(ValueError) in
            let whole = Texts.parts(try call.text(0), ByteSlice("."), limit: 2, keepSeparator: false).first ?? .empty
            guard let seconds = Numbers.int(whole), seconds > 0 else { return .string(.empty) }
            return call.string(Timestamp(seconds: seconds).rfc3339)
        },
        Function("TimeNow", [], .string, pure: false) { call throws(ValueError) in call.string(Timestamp.now().rfc3339)
        },
        Function("FloatApproxEqual", [.any, .any], .bool) { call throws(ValueError) in
            .bool((try call.double(0) - call.double(1)).magnitude < 1e-6)
        },
        Function("basename") { path, _ in
            guard let slash = path.lastIndex(of: UInt8(ascii: "/")) else { return path }
            return path[(slash + 1)..<path.count]
        },
    ]

    static let lists: [Function] = [
        Function("Get", [.list(.any), .int], .string) { call throws(ValueError) in
            let (items, index) = (try call.list(0), try call.int(1))
            guard index >= 0 else { throw ValueError("index out of range: \(index)") }
            return index < items.count ? items[index] : .string(.empty)
        },
        Function("KeyExists", [.string, .any], .bool) { call throws(ValueError) in
            .bool(try call.map(1).find(call.text(0)) != nil)
        },
        Function("Distinct", [.any], .any) { call throws(ValueError) in
            guard case .list(let list) = call[0] else { return .null }
            return .list(ListValue(CollectionFunctions.unique(list.items)))
        },
        Function("Flatten", [.any], variadic: true, .any) { call throws(ValueError) in
            .list(ListValue(CollectionFunctions.flatten(call.all, depth: 0)))
        },
        Function("FlattenDistinct", [.any], variadic: true, .any) { call throws(ValueError) in
            .list(ListValue(CollectionFunctions.unique(CollectionFunctions.flatten(call.all, depth: 0))))
        },
        Function("MedianInterval", [.any], .duration) { call throws(ValueError) in
            var gaps = try intervals(call.list(0))
            gaps.sort()
            let middle = gaps.count / 2
            let median = gaps.count % 2 == 1 ? gaps[middle] : (gaps[middle - 1] &+ gaps[middle]) / 2
            return .duration(GoDuration(nanoseconds: median))
        },
        Function("AverageInterval", [.any], .duration) { call throws(ValueError) in
            let gaps = try intervals(call.list(0))
            return .duration(GoDuration(nanoseconds: gaps.reduce(0, &+) / Int64(gaps.count)))
        },
        Function("LogInfo", [.string, .any], required: 1, variadic: true, .bool, pure: false) {
            call throws(ValueError) in
            .bool(true)
        },
    ]

    private static func intervals(_ items: [Value]) throws(ValueError) -> [Int64] {
        var times: [Int64] = []
        times.reserveCapacity(items.count)
        for item in items {
            guard case .time(let time) = item else { throw ValueError("not a time: \(item.kind)") }
            times.append(time.nanoseconds)
        }
        guard times.count >= 2 else { throw ValueError("need at least two times to calculate an interval") }
        times.sort()
        // Each gap takes the place of the time before it.
        for index in times.indices.dropLast() {
            times[index] = (Timestamp(nanoseconds: times[index + 1]) - Timestamp(nanoseconds: times[index])).nanoseconds
        }
        times.removeLast()
        return times
    }

    /// Functions over loaded data files.
    static func files(_ resources: some ExprResources) -> [Function] {
        [
            Function("File", [.string], .list(.string), pure: false) { call throws(ValueError) in
                let name = try call.string(0)
                if let lines = resources.lines(of: name) { return .list(lines) }
                resources.report("file '\(name)' (type:string) not found in expr library")
                return .list(ListValue([]))
            },
            Function("RegexpInFile", [.string, .string], .bool, pure: false) { call throws(ValueError) in
                let name = try call.string(1)
                let text = try call.text(0)
                if let patterns = resources.patterns(of: name) { return .bool(patterns.matchesAny(text)) }
                resources.report("file '\(name)' (type:regexp) not found in expr library")
                return .bool(false)
            },
            Function("LookupFile", [.string, .string], .string, pure: false) { call throws(ValueError) in
                let name = try call.string(1)
                if let tag = resources.lookUp(try call.text(0), in: name) { return .string(tag) }
                resources.report("file '\(name)' (type:map) not found in expr library")
                return .string(.empty)
            },
            Function("FileMap", [.string], .list(.any), pure: false) { call throws(ValueError) in
                .list(resources.rows(of: try call.string(0)) ?? ListValue([]))
            },
        ]
    }

    /// Functions over caches and the decision store.
    static func stores(_ resources: some ExprResources) -> [Function] {
        [
            Function("GetFromStash", [.string, .string], .string, pure: false) { call throws(ValueError) in
                .string(resources.stashed(try call.text(1), in: try call.string(0), arena: call.arena) ?? .empty)
            },
            Function("GetDecisionsCount", [.string], .int, pure: false) { call throws(ValueError) in
                .int(Int64(resources.decisions(try call.string(0), since: nil, activeOnly: false) ?? 0))
            },
            Function("GetDecisionsSinceCount", [.string, .string], .int, pure: false) { call throws(ValueError) in
                let since = GoDuration(try call.string(1), allowingDays: true)
                guard let since else { throw ValueError("invalid duration \"\(try call.string(1))\"") }
                return .int(Int64(resources.decisions(try call.string(0), since: since, activeOnly: false) ?? 0))
            },
            Function("GetActiveDecisionsCount", [.string], .int, pure: false) { call throws(ValueError) in
                .int(Int64(resources.decisions(try call.string(0), since: nil, activeOnly: true) ?? 0))
            },
        ]
    }
}
