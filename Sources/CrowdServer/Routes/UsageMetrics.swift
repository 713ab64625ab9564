import CrowdCore
import CrowdStore

/// `POST /v1/usage-metrics` (protocol facts A.11).
extension LocalAPI {
    func postUsageMetrics(_ call: Call) async throws -> Reply {
        switch call.caller {
        case .machine(let id): try await store(try UsageReport(call.body, side: .logProcessor), ofMachine: id, call.now)
        case .bouncer(let bouncer):
            try await store(try UsageReport(call.body, side: .remediationComponent), of: bouncer, call.now)
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
        let json = try Failure.parsing { () throws(JSONError) in try JSON.parse(body) }
        let name = side == .logProcessor ? "log_processors" : "remediation_components"
        let spoken = side == .logProcessor ? "log processor" : "remediation component"
        let items = json[name]?.array ?? []
        guard items.count <= 1 else { throw .badRequest("Payload has more than one \(spoken)") }
        guard let item = items.first else { throw .badRequest("Missing \(spoken) data") }
        self.item = item
        let missing = Self.missing(in: item, side)
        guard missing.isEmpty else {
            throw .invalid(
                "validation failure list:\n"
                    + missing.map { "\(name).0.\($0) in body is required" }.joined(separator: "\n"))
        }
        if let version = item["version"]?.string, version.utf8.count > 255 {
            throw .invalid("validation failure list:\n\(name).0.version in body should be at most 255 chars long")
        }
    }

    private static func missing(in item: JSON, _ side: Side) -> [String] {
        var required = ["utc_startup_timestamp", "version"]
        if side == .logProcessor { required = ["datasources", "hub_items"] + required }
        var missing = required.filter { item[$0]?.isNull ?? true }
        for (index, metric) in (item["metrics"]?.array ?? []).enumerated() {
            for key in ["items", "meta"] where metric[key]?.isNull ?? true { missing.append("metrics.\(index).\(key)") }
        }
        if let os = item["os"], !os.isNull {
            missing += ["name", "version"].filter { os[$0]?.string == nil }.map { "os.\($0)" }
        }
        return missing
    }

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
