import CrowdCore
import CrowdStore

/// `POST /v1/usage-metrics` (protocol facts A.11).
extension LocalAPI {
    func postUsageMetrics(_ call: Call) async throws -> Reply {
        switch call.caller {
        case .machine(let id):
            let report = try await BackgroundWork.run(on: call.body) { try UsageReport($0, side: .logProcessor) }
            try await store(report, ofMachine: id, call.now)
        case .bouncer(let bouncer):
            let report = try await BackgroundWork.run(on: call.body) {
                try UsageReport($0, side: .remediationComponent)
            }
            try await store(report, of: bouncer, call.now)
        case .anyone, .certificate: throw Failure.forbidden()
        }
        return .empty(201)
    }

    private func store(_ report: UsageReport, ofMachine id: String, _ now: Timestamp) async throws(StoreError) {
        clients.touchMachine(id) { report.update(&$0) }
        let (machine, payload) = (clients.machine(id), report.payload)
        try await store.write { session throws(StoreError) in
            try UsageMetricQueries.insert(.logProcessor, from: id, payload: payload, at: now, in: session)
            if let machine { try MachineQueries.updateSystem(machine, in: session) }
        }
    }

    private func store(_ report: UsageReport, of bouncer: BouncerIdentity, _ now: Timestamp) async throws(StoreError) {
        clients.touchBouncer(bouncer.id) { report.update(&$0) }
        let (row, payload) = (clients.bouncer(bouncer.id), report.payload)
        try await store.write { session throws(StoreError) in
            try UsageMetricQueries.insert(
                .remediationComponent, from: bouncer.name, payload: payload, at: now, in: session)
            if let row { try BouncerQueries.updateSystem(row, in: session) }
        }
    }
}

/// The one component a caller may report about.
struct UsageReport: Sendable {
    enum Side: Sendable { case logProcessor, remediationComponent }

    let side: Side
    private let item: JSON

    init(_ body: [UInt8], side: Side) throws(Failure) {
        self.side = side
        let json = try Failure.json(body)
        try Self.form.check(json)
        let name = side == .logProcessor ? "log_processors" : "remediation_components"
        let spoken = side == .logProcessor ? "log processor" : "remediation component"
        let items = json[name]?.array ?? []
        guard items.count <= 1 else { throw .badRequest("Payload has more than one \(spoken)") }
        guard let item = items.first, !item.isNull else { throw .badRequest("Missing \(spoken) data") }
        self.item = item
    }

    private static let short = JSONForm.text(255)
    private static let long = JSONForm.text(64 << 10)

    /// `cscli metrics` reads back what is stored: nothing may be in it that is not as it expects.
    private static let form = JSONForm.object([
        .optional("log_processors", .list(.object(component + logProcessor))),
        .optional("remediation_components", .list(.object(component + remediationComponent))),
    ])

    private static let logProcessor = [
        JSONForm.Member.required("datasources", .map(.integer)),
        .required(
            "hub_items",
            .map(.list(.object([.optional("name", long), .optional("version", long), .optional("status", long)])))),
    ]
    private static let remediationComponent = [JSONForm.Member.optional("type", long)]

    private static let component = [
        JSONForm.Member.optional("feature_flags", .list(long)), .optional("metrics", .list(.object(metrics))),
        .optional(
            "os", .object([.required("name", short), .required("version", short), .optional("family", short)])),
        .required("utc_startup_timestamp", .integer), .required("version", short),
    ]
    private static let metrics = [
        JSONForm.Member.required(
            "items",
            .list(
                .object([
                    .optional("labels", .map(long)), .required("name", long), .required("unit", long),
                    .required("value", .number),
                ]))),
        .required(
            "meta", .object([.required("utc_now_timestamp", .integer), .required("window_size_seconds", .integer)])),
    ]

    /// What the `metrics` table keeps.
    var payload: String {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("metrics")
        (item["metrics"] ?? .array([])).write(to: &writer)
        if side == .remediationComponent { writer.member("type", item["type"]?.string ?? "") }
        writer.endObject()
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    func update(_ machine: inout MachineRecord) {
        machine.version = item["version"]?.string ?? machine.version
        machine.system = system
        machine.hubState = text("hub_items")
        machine.dataSources = text("datasources")
    }

    func update(_ bouncer: inout BouncerRecord) {
        bouncer.version = item["version"]?.string ?? bouncer.version
        bouncer.system = system
    }

    private var system: ClientSystem {
        var system = ClientSystem()
        system.osName = item["os"]?["name"]?.string ?? ""
        system.osFamily = item["os"]?["family"]?.string ?? ""
        system.osVersion = item["os"]?["version"]?.string ?? ""
        system.featureFlags = (item["feature_flags"]?.array ?? []).compactMap(\.string).joined(separator: ",")
        return system
    }

    private func text(_ key: String) -> String {
        var writer = JSONWriter()
        (item[key] ?? .null).write(to: &writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}
