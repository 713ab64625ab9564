import CrowdCore
import CrowdHub
import Glibc

/// The hub of this host, as the commands use it.
extension Invocation {
    func hubPaths() throws -> HubPaths { HubPaths(try config().paths) }

    /// - Throws: with the advice to download the index again, when it is missing or refused.
    func hub() throws -> Hub {
        let hub: Hub
        do { hub = try Hub(try hubPaths()) } catch let error as HubError {
            let reason = "\(error)"
            let sentence = reason.hasSuffix(".") ? reason : reason + "."
            throw CommandError(
                "failed to read hub index: \(sentence) Run 'sudo cscli hub update' to download the index again")
        }
        for problem in hub.problems { terminal.log(.error, problem) }
        return hub
    }

    /// `--branch`, else what the configuration says, else the branch that releases are made from: our version numbers
    /// mean nothing to the hub.
    func hubBranch() throws -> String { try flags.nonEmpty("branch") ?? config().cscli.hubBranch ?? "master" }

    func hubSource() throws -> any HubSource {
        let cscli = try config().cscli
        if let place = cscli.hubSource { return try HubPlace.open(place) }
        let isImpatient = getenv("CROWDSEC_FEATURE_DISABLE_HTTP_RETRY_BACKOFF").map { String(cString: $0) } == "true"
        return RemoteHub(
            template: cscli.hubURLTemplate ?? RemoteHub.publicTemplate, branch: try hubBranch(),
            userAgent: SuiteVersion.userAgent("crowdsec"), attempts: isImpatient ? 1 : 3)
    }

    /// Scenarios and rules that are installed, as agents name them at login; none where there is no hub.
    func installedScenarios() -> [String] {
        guard let paths = try? hubPaths(), let hub = try? Hub(paths) else { return [] }
        return [ItemType.scenarios, .appsecRules].flatMap { hub.items($0, installedOnly: true).map(\.id.name) }
    }

    /// Warnings and the count of what is there, on standard error.
    func logState(of hub: Hub) {
        for warning in hub.warnings { terminal.log(.warning, warning) }
        for line in hub.statistics { info(line) }
    }
}

/// Shows a plan, asks where it has to, carries it out.
struct PlanSession {
    let call: Invocation
    /// Instead of the configured one.
    var source: (any HubSource)?

    func run(_ plan: ActionPlan) async throws {
        let (isInteractive, isDry) = (call.flags.isOn("interactive"), call.flags.isOn("dry-run"))
        for warning in plan.warnings { call.terminal.log(.warning, warning) }
        guard !plan.isEmpty else { return call.print("Nothing to install or remove.") }
        if isDry || isInteractive || call.terminal.level <= .info {
            call.print("Action plan:\n" + plan.text(verbose: call.output == .raw))
        }
        if isDry { return call.print("Dry run, no action taken.") }
        if isInteractive && !Confirmation.asksTerminal("Do you want to continue?") {
            return call.print("operation canceled")
        }
        try await carryOut(plan)
    }

    private func carryOut(_ plan: ActionPlan) async throws {
        let terminal = call.terminal
        let progress = ProgressMeter()
        let report: @Sendable (PlanRun.Event) -> Void = { event in
            progress.clear()
            terminal.print(Self.sentence(event))
        }
        var run = PlanRun(
            plan, source: try source ?? call.hubSource(), progress: { progress.show(bytes: $0) }, report: report)
        let fault: (any Error)?
        do {
            try await run.run()
            fault = nil
        } catch {
            fault = error
        }
        progress.clear()
        if run.needsReload { call.print("\n\(ReloadHint.sentence)") }
        if let fault { throw fault }
    }

    private static func sentence(_ event: PlanRun.Event) -> String {
        switch event {
        case .downloading(let id): "downloading \(id)"
        case .enabling(let id): "enabling \(id)"
        case .disabling(let id): "disabling \(id)"
        case .purging(let id): "purging \(id)"
        case .downloadingData(let url): "downloading \(url)"
        }
    }

    /// pflag's sentence for two flags that exclude each other.
    static func checkFlags(_ call: Invocation) throws(CommandError) {
        guard call.flags.isOn("interactive"), call.flags.isOn("dry-run") else { return }
        throw CommandError(
            "if any flags in the group [interactive dry-run] are set none of the others can be; "
                + "[dry-run interactive] were all set")
    }
}

/// What to do after a change so that the services know of it.
enum ReloadHint {
    static let sentence = "Run 'sudo systemctl reload crowdsec' for the new configuration to be effective."
}
