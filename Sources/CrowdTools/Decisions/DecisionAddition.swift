import CrowdCore
import CrowdHTTP
import CrowdLAPI

/// `cscli decisions add`: an alert that brings its own decision.
enum DecisionAddition {
    static let flags: [Flag] = [
        .text("ip", "i", "Source ip (shorthand for --scope ip --value <IP>)"),
        .text("range", "r", "Range source ip (shorthand for --scope range --value <RANGE>)"),
        .duration("duration", "d", "Decision duration (ie. 1h,4h,30m)", default: "4h"),
        .text("value", "v", "The value (ie. --scope username --value foobar)"),
        .text("scope", nil, "Decision scope (ie. ip,range,username)", default: "Ip"),
        .text("reason", "R", "Decision reason (ie. scenario-name)"),
        .text("type", "t", "Decision type (ie. ban,captcha,throttle)", default: "ban"),
        .toggle("bypass-allowlist", "B", "Add decision even if value is in allowlist"),
    ]

    static func run(_ call: Invocation) async throws {
        let (scope, value) = try target(call)
        guard call.flags.nonEmpty("type") != nil else { throw CommandError("the type of a decision cannot be empty") }
        let client = try call.client()
        if (scope == "Ip" || scope == "Range") && !call.flags.isOn("bypass-allowlist") {
            try await refuseAllowlisted(value, client)
        }
        let alert = alert(scope, value, call, login: try call.credentials().login ?? "")
        var writer = JSONWriter()
        writer.beginArray()
        alert.write(to: &writer)
        writer.endArray()
        _ = try await client.postAlerts(writer.bytes)
        call.info("Decision successfully added")
    }

    private static func target(_ call: Invocation) throws(CommandError) -> (scope: String, value: String) {
        if let ip = call.flags.nonEmpty("ip") {
            guard IPAddress(ip) != nil else { throw CommandError("\(ip) is not a valid ip") }
            return ("Ip", ip)
        }
        if let range = call.flags.nonEmpty("range") {
            try AlertQuery.check(range: range)
            return ("Range", range)
        }
        guard let value = call.flags.nonEmpty("value") else {
            throw CommandError(
                "missing arguments, a value is required (--ip, --range or --scope and --value)", showsHelp: true)
        }
        let scope = AlertQuery.scope(call.flags.text("scope"))
        guard !scope.isEmpty else { throw CommandError("the scope of a decision cannot be empty") }
        return (scope, value)
    }

    /// An older Local API has no allowlists: it answers 404, and nothing is refused.
    private static func refuseAllowlisted(_ value: String, _ client: MachineClient) async throws {
        do {
            let answer = try await client.send(.get, "v1/allowlists/check/\(QueryString.escape(value))")
            guard let json = try? JSON.parse(answer.body), json["allowlisted"]?.bool == true else { return }
            throw CommandError(
                "\(value) is allowlisted by item \(json["reason"]?.string ?? ""), use --bypass-allowlist to add the "
                    + "decision anyway")
        } catch LAPIError.refused(404, _) {
            return
        }
    }

    private static func alert(_ scope: String, _ value: String, _ call: Invocation, login: String) -> Alert {
        let type = call.flags.text("type")
        let reason = call.flags.nonEmpty("reason") ?? "manual '\(type)' from '\(login)'"
        let now = Timestamp.now().rfc3339
        var alert = Alert()
        (alert.createdAt, alert.startAt, alert.stopAt) = (now, now, now)
        (alert.scenario, alert.message, alert.leakspeed) = (reason, reason, "0")
        (alert.eventsCount, alert.remediation, alert.kind) = (1, true, "cscli")
        alert.source = AlertSource(scope: scope, value: value, ip: scope == "Ip" || scope == "Range" ? value : "")
        alert.decisions = [
            Decision(
                origin: "cscli", type: type, scope: scope, value: value, scenario: reason,
                duration: call.flags.text("duration"))
        ]
        return alert
    }
}
