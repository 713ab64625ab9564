/// The structures that expressions see, with the reference's Go names (engine facts A).
public enum EventTypes {
    public enum EventField {
        public static let type = 0
        public static let expectMode = 1
        public static let whitelisted = 2
        public static let whitelistReason = 3
        public static let stage = 4
        public static let line = 5
        public static let parsed = 6
        public static let enriched = 7
        public static let unmarshaled = 8
        public static let overflow = 9
        public static let time = 10
        public static let strTime = 11
        public static let strTimeFormat = 12
        public static let marshaledTime = 13
        public static let process = 14
        public static let appsec = 15
        public static let meta = 16
    }

    public enum EventMethod {
        public static let getType = 0
        public static let getMeta = 1
        public static let setMeta = 2
        public static let setParsed = 3
        public static let parseIPSources = 4
    }

    public enum LineField {
        public static let raw = 0
        public static let source = 1
        public static let time = 2
        public static let labels = 3
        public static let process = 4
        public static let module = 5
    }

    static let textMap = StaticType.map(.string)

    public static let line = ObjectType("pipeline.Line")
        .field("Raw", LineField.raw, .string).field("Src", LineField.source, .string)
        .field("Time", LineField.time, .time).field("Labels", LineField.labels, textMap)
        .field("Process", LineField.process, .bool).field("Module", LineField.module, .string)

    public static let metaItem = ObjectType("models.MetaItems0")
        .field("Key", 0, .string).field("Value", 1, .string)

    public static let source = ObjectType("models.Source")
        .field("AsName", 0, .string).field("AsNumber", 1, .string).field("Cn", 2, .string).field("IP", 3, .string)
        .field("Range", 4, .string).field("Latitude", 5, .float).field("Longitude", 6, .float)
        .field("Scope", 7, .string).field("Value", 8, .string)
        .method("GetScope", 0, [], .string).method("GetValue", 1, [], .string)
        .method("GetAsNumberName", 2, [], .string).method("String", 3, [], .string)

    public static let alertEvent = ObjectType("models.Event")
        .field("Meta", 0, .list(.object(metaItem))).field("Timestamp", 1, .string)
        .method("GetMeta", 0, [.string], .string)

    public static let decision = ObjectType("models.Decision")
        .field("Duration", 0, .string).field("ID", 1, .int).field("Origin", 2, .string).field("Scenario", 3, .string)
        .field("Scope", 4, .string).field("Simulated", 5, .bool).field("Type", 6, .string).field("UUID", 7, .string)
        .field("Until", 8, .string).field("Value", 9, .string)

    public static let alert = ObjectType("models.Alert")
        .field("Capacity", 0, .int).field("CreatedAt", 1, .string).field("Decisions", 2, .list(.object(decision)))
        .field("Events", 3, .list(.object(alertEvent))).field("EventsCount", 4, .int).field("ID", 5, .int)
        .field("Kind", 6, .string).field("Labels", 7, .list(.string)).field("Leakspeed", 8, .string)
        .field("MachineID", 9, .string).field("Message", 10, .string).field("Meta", 11, .list(.object(metaItem)))
        .field("Remediation", 12, .bool).field("Scenario", 13, .string).field("ScenarioHash", 14, .string)
        .field("ScenarioVersion", 15, .string).field("Simulated", 16, .bool).field("Source", 17, .object(source))
        .field("StartAt", 18, .string).field("StopAt", 19, .string).field("UUID", 20, .string)
        .method("GetScope", 0, [], .string).method("GetValue", 1, [], .string).method("GetScenario", 2, [], .string)
        .method("GetEventsCount", 3, [], .int).method("GetMeta", 4, [.string], .string)
        .method("HasRemediation", 5, [], .bool)

    public static let overflow = ObjectType("pipeline.RuntimeAlert")
        .field("Mapkey", 0, .string).field("BucketId", 1, .string).field("Whitelisted", 2, .bool)
        .field("Reprocess", 3, .bool).field("Sources", 4, .map(.object(source))).field("Alert", 5, .object(alert))
        .field("APIAlerts", 6, .list(.object(alert)))
        .method("GetSources", 0, [], .list(.string))

    public static let appsec = ObjectType("pipeline.AppsecEvent")
        .field("HasInBandMatches", 0, .bool).field("HasOutBandMatches", 1, .bool)
        .field("MatchedRules", 2, .list(.any)).field("Vars", 3, textMap).field("HookVars", 4, textMap)
        .method("GetVar", 0, [.string], .string).method("GetField", 1, [.any], .string)
        .method("GetURI", 2, [], .string).method("GetHash", 3, [], .string).method("GetVersion", 4, [], .string)
        .method("GetName", 5, [], .string).method("GetMethod", 6, [], .string)
        .method("GetRuleIDs", 7, [], .list(.int)).method("Kinds", 8, [], .list(.string))
        .method("GetMatchedZones", 9, [], .list(.string)).method("GetNames", 10, [], .list(.string))
        .method("GetHighestSeverity", 11, [], .string)

    public static let event = ObjectType("pipeline.Event")
        .field("Type", EventField.type, .int).field("ExpectMode", EventField.expectMode, .int)
        .field("Whitelisted", EventField.whitelisted, .bool)
        .field("WhitelistReason", EventField.whitelistReason, .string).field("Stage", EventField.stage, .string)
        .field("Line", EventField.line, .object(line)).field("Parsed", EventField.parsed, textMap)
        .field("Enriched", EventField.enriched, textMap).field("Unmarshaled", EventField.unmarshaled, .map(.any))
        .field("Overflow", EventField.overflow, .object(overflow)).field("Time", EventField.time, .time)
        .field("StrTime", EventField.strTime, .string).field("StrTimeFormat", EventField.strTimeFormat, .string)
        .field("MarshaledTime", EventField.marshaledTime, .string).field("Process", EventField.process, .bool)
        .field("Appsec", EventField.appsec, .object(appsec)).field("Meta", EventField.meta, textMap)
        .method("GetType", EventMethod.getType, [], .string)
        .method("GetMeta", EventMethod.getMeta, [.string], .string)
        .method("SetMeta", EventMethod.setMeta, [.string, .string], .bool)
        .method("SetParsed", EventMethod.setParsed, [.string, .string], .bool)
        .method("ParseIPSources", EventMethod.parseIPSources, [], .list(.any))

    /// Go's zero value; nil for what is a pointer there.
    static func zero(of type: StaticType?) -> Value {
        switch type {
        case .bool: .bool(false)
        case .int: .int(0)
        case .float: .float(0)
        case .string: .string(.empty)
        case .list: .list(ListValue([]))
        case .map: .map(MapValue())
        case .time: .time(Timestamp(nanoseconds: 0))
        case .duration: .duration(.zero)
        case .object, .any, .null, nil: .null
        }
    }
}
