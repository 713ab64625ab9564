import CrowdCore

extension Command {
    /// `cscli capi`, `papi` and `console`: installers and containers call them, so they get the reference's refusal and
    /// no list of commands. This version does not speak with a central service.
    static let centralAPI: [Command] = [
        ("capi", "Manage interaction with Central API (CAPI)"), ("papi", "Manage interaction with Polling API (PAPI)"),
        ("console", "Manage interaction with the console"),
    ].map { name, summary in
        Command(name: name, summary: summary, arguments: .any, isHidden: true) { try CentralAPIRefusal.run($0) }
    }
}

enum CentralAPIRefusal {
    static func run(_ call: Invocation) throws {
        let config = try call.config()
        guard config.runsServer else {
            throw CommandError("local API is disabled -- this command must be run on the local API machine")
        }
        guard config.server?.onlineClient?.credentialsPath != nil else {
            throw CommandError("no configuration for Central API (CAPI) in '\(call.configPath)'")
        }
        throw CommandError("this version does not speak with the Central API (CAPI)")
    }
}
