import CrowdCore
import CrowdExpr

/// Compiles the expressions of profiles: over `Alert`, with CrowdSec's helper functions.
struct ProfileLanguage: Sendable {
    private let environment: Environment

    init(_ resources: some ExprResources = NoResources()) {
        var environment = Environment(functions: CrowdSecFunctions.all(resources))
        environment.declare("Alert", .object(EventTypes.alert))
        self.environment = environment
    }

    /// A condition; an expression that can give nothing but another type is refused.
    func filter(_ source: String) throws(ExprError) -> Program {
        let program = try Program(source, in: environment)
        guard program.type.mayBe(.bool) else {
            throw ExprError("expected bool, but got \(program.type.name)", at: 0)
        }
        return program
    }

    /// A duration's text.
    func duration(_ source: String) throws(ExprError) -> Program { try Program(source, in: environment) }
}

/// One alert as expressions see it; made once per alert, for all its filters.
struct AlertSubject {
    private let machine: Machine

    init(_ alert: Alert) {
        let event = Event(keys: KeyTable())
        machine = Machine(event: event, variables: [.object(AlertObject(alert, arena: event.arena))])
    }

    func bool(_ program: Program) throws(ExprError) -> Bool { try program.bool(on: machine) }

    /// The result's text; nil when it is no string.
    func text(_ program: Program) throws(ExprError) -> String? {
        guard case .string(let text) = try program.value(on: machine) else { return nil }
        return String(text)
    }
}

/// What expressions may ask of the server: how often a value was decided about, and what it may ask of other hosts.
struct ProfileResources: ExprResources {
    let decisions: DecisionMemory
    var web: (any WebAccess)?
    var reputations: Reputations?

    func decisions(_ value: String, since: GoDuration?, activeOnly: Bool) -> Int? {
        decisions.count(value: value, since: since, activeOnly: activeOnly, now: .now())
    }

    func decisionTimeLeft(_ value: String) -> GoDuration? { decisions.timeLeft(value: value, now: .now()) }
}
