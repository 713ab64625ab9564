import CrowdCore
import CrowdHub

extension Command {
    /// `cscli lapi context` (surface facts A.9).
    static let lapiContext = Command(
        name: "context", summary: "Manage context to send with alerts",
        subcommands: [
            Command(
                name: "add", summary: "Add context to send with alerts. You must specify the output key with --key",
                flags: [
                    .text("key", nil, "The key of the different values to send"),
                    .list("value", nil, "The expr fields to associate with the key").required,
                ]
            ) { try ContextCommands.add($0) },
            Command(name: "status", summary: "List context to send with alerts") { try ContextCommands.status($0) },
            Command(
                name: "detect", summary: "Detect available fields from the installed parsers",
                argumentsUsage: "[parser]...", arguments: .any,
                flags: [.toggle("all", "a", "Detect evt field for all installed parser")],
                completion: ItemCommands.names(.parsers) { $0.isInstalled }
            ) { try ContextCommands.detect($0) },
            Command(name: "delete", summary: "DEPRECATED", arguments: .any) { call in
                let path = try ContextCommands.agent(call).contextPath
                throw CommandError("command 'delete' has been removed, please manually edit \(path)")
            },
        ])
}

enum ContextCommands {
    static func agent(_ call: Invocation) throws -> AgentConfig {
        guard let agent = try call.config().agent, agent.enabled else {
            throw CommandError("agent is disabled and lapi context can only be used on the agent")
        }
        return agent
    }

    static func add(_ call: Invocation) throws {
        let agent = try agent(call)
        var context = try AlertContext.own(agent)
        for value in call.flags.list("value") {
            // Without a key, the last part of `evt.Meta.source_ip` is it.
            let key = call.flags.nonEmpty("key") ?? value.split(separator: ".").last.map(String.init) ?? value
            if let fault = AlertContext.fault(in: value) {
                throw CommandError("invalid context configuration: compilation of '\(value)' failed: \(fault)")
            }
            if context[key].isEmpty { call.info("key '\(key)' added") }
            if context.add(value, to: key) { call.info("value '\(value)' added to key '\(key)'") }
        }
        try FileContents.makeDirectory(FileContents.directory(of: agent.contextPath))
        try FileContents.replace(agent.contextPath, with: Array(context.json.yamlNode.yamlText.utf8), mode: 0o600)
    }

    static func status(_ call: Invocation) throws {
        let context = try AlertContext.all(try call.config(), try agent(call))
        if call.output == .json { return call.print(context.json.pretty) }
        guard !context.isEmpty else {
            return call.print(
                "No context found on this agent. You can use 'cscli lapi context add' to add context to your alerts.")
        }
        call.terminal.print(context.json.yamlNode.yamlText, terminator: "")
    }

    static func detect(_ call: Invocation) throws {
        _ = try agent(call)
        let isAll = call.flags.isOn("all")
        guard isAll || !call.words.isEmpty else {
            throw CommandError("please provide parsers to detect or --all flag", showsHelp: true)
        }
        let fields = try ParserFields(try call.config()).byParser
        let missing = call.words.filter { fields[$0] == nil }
        var shown: [JSONMember] = []
        func show(_ name: String, _ fields: [String]) {
            shown.append(JSONMember(name, .array(fields.map { .string($0) })))
        }
        if isAll { show("Acquisition", ["evt.Line.Module", "evt.Line.Raw", "evt.Line.Src"]) }
        for (name, fields) in fields.sorted(by: { $0.key < $1.key }) where isAll || call.words.contains(name) {
            show(name, fields)
        }
        if call.output == .json {
            call.print(JSON.object(shown).pretty)
        } else {
            for section in shown {
                let lines = (section.value.array ?? []).map { "  - \($0.string ?? "")\n" }
                call.print("\(section.key):\n\n\(lines.joined())")
            }
        }
        for name in missing { call.terminal.log(.error, "parser '\(name)' not found, can't detect fields") }
    }
}
