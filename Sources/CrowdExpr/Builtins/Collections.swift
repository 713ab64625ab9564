import CrowdCore

/// Lists and maps.
enum CollectionFunctions {
    private static let list = StaticType.list(.any)

    static let all: [Function] = [
        Function("len", [.any], .int) { call throws(ValueError) in
            switch call[0] {
            case .string(let text): .int(Int64(text.buffer.count { $0 & 0xc0 != 0x80 }))
            case .list(let list): .int(Int64(list.items.count))
            case .map(let map): .int(Int64(map.count))
            default: throw ValueError("invalid argument for len (type \(call[0].kind))")
            }
        },
        Function("first", [.any], .any) { call throws(ValueError) in try call.list(0).first ?? .null },
        Function("last", [.any], .any) { call throws(ValueError) in try call.list(0).last ?? .null },
        Function("get", [.any, .any], .any) { call throws(ValueError) in
            if call[0].isNull { return .null }
            return (try? Operations.index(call[0], call[1])) ?? .null
        },
        Function("take", [list, .int], list) { call throws(ValueError) in
            let (items, count) = (try call.list(0), try call.int(1))
            guard count >= 0 else { throw ValueError("cannot take \(count) elements") }
            return .list(ListValue(Array(items.prefix(count))))
        },
        Function("keys", [.map(.any)], list) { call throws(ValueError) in
            .list(ListValue(try call.map(0).keys.map { .string($0) }))
        },
        Function("values", [.map(.any)], list) { call throws(ValueError) in .list(ListValue(try call.map(0).values)) },
        Function("toPairs", [.map(.any)], list) { call throws(ValueError) in
            let map = try call.map(0)
            return .list(ListValue(zip(map.keys, map.values).map { .list(ListValue([.string($0), $1])) }))
        },
        Function("fromPairs", [list], .map(.any)) { call throws(ValueError) in
            let map = MapValue()
            for pair in try call.list(0) {
                guard case .list(let items) = pair, items.items.count == 2 else { throw ValueError("invalid pair") }
                map.set(try items.items.text(0), items.items[1])
            }
            return .map(map)
        },
        Function("reverse", [list], list) { call throws(ValueError) in .list(ListValue(try call.list(0).reversed())) },
        Function("uniq", [list], list) { call throws(ValueError) in .list(ListValue(try unique(call.list(0)))) },
        Function("concat", [list], variadic: true, list) { call throws(ValueError) in
            var items: [Value] = []
            for index in 0..<call.count { items += try call.list(index) }
            try call.machine.useMemory(items.count)
            return .list(ListValue(items))
        },
        Function("flatten", [list], list) { call throws(ValueError) in
            .list(ListValue(flatten(try call.list(0), depth: 0)))
        },
        Function("sort", [list, .string], required: 1, list) { call throws(ValueError) in
            let descending = try Sorting.isDescending(call.count > 1 ? call[1] : nil)
            return .list(ListValue(try Sorting.sort(call.list(0), by: { $0 }, descending: descending)))
        },
        Function("type", [.any], .string) { call throws(ValueError) in
            let kind = call[0].kind
            return call.string(kind == "float64" ? "float" : kind)
        },
    ]

    static func unique(_ items: [Value]) -> [Value] {
        var kept: [Value] = []
        for item in items where !kept.contains(where: { Operations.equal($0, item) }) { kept.append(item) }
        return kept
    }

    static func flatten(_ items: [Value], depth: Int) -> [Value] {
        items.flatMap { item in
            if case .list(let inner) = item, depth < 64 { flatten(inner.items, depth: depth + 1) } else { [item] }
        }
    }
}
