import CrowdCore
import CrowdHTTP
import CrowdLAPI

/// What is asked of the Local API about allowlists.
enum AllowlistReports {
    static func list(_ call: Invocation) async throws {
        let answer = try await call.client().send(.get, "v1/allowlists?with_content=true")
        let json = try JSON.parse(answer.body)
        let lists = json.array ?? []
        switch call.output {
        case .human:
            var table = Table(["Name", "Description", "Created at", "Updated at", "Managed by Console", "Size"])
            table.numbers = [5]
            table.rows = lists.map { list in
                [
                    list.text("name"), list.text("description"), list.text("created_at"), list.text("updated_at"),
                    list.isManaged ? "yes" : "no", String(list.items.count),
                ]
            }
            call.terminal.print(table.text(.light), terminator: "")
        case .raw:
            let header = ["name", "description", "created_at", "updated_at", "console_managed", "size"]
            call.print(
                csv: [header]
                    + lists.map { list in
                        [
                            list.text("name"), list.text("description"), list.text("created_at"),
                            list.text("updated_at"), String(list.isManaged), String(list.items.count),
                        ]
                    })
        case .json: call.print(json.isNull ? "[]" : json.pretty)
        }
    }

    static func inspect(_ call: Invocation) async throws {
        let name = QueryString.escape(call.words[0])
        let answer = try await call.client().send(.get, "v1/allowlists/\(name)?with_content=true")
        let list = try JSON.parse(answer.body)
        switch call.output {
        case .human: printTables(list, call)
        case .raw:
            let header = [
                "name", "description", "value", "comment", "expiration", "created_at", "console_managed",
            ]
            call.print(
                csv: [header]
                    + list.items.map { item in
                        [
                            list.text("name"), list.text("description"), item.text("value"), item.text("description"),
                            item.expiration, item.text("created_at"), String(list.isManaged),
                        ]
                    })
        case .json: call.print(list.pretty)
        }
    }

    private static func printTables(_ list: JSON, _ call: Invocation) {
        var facts = Table([], title: "Allowlist: \(list.text("name"))")
        facts.rows = [
            ["Name", list.text("name")], ["Description", list.text("description")],
            ["Created at", list.text("created_at")], ["Updated at", list.text("updated_at")],
            ["Managed by Console", list.isManaged ? "yes" : "no"],
        ]
        call.terminal.print(facts.text(.light), terminator: "")
        guard !list.items.isEmpty else { return }
        var items = Table(["Value", "Comment", "Expiration", "Created at"])
        items.rows = list.items.map {
            [$0.text("value"), $0.text("description"), $0.expiration, $0.text("created_at")]
        }
        call.terminal.print(items.text(.light), terminator: "")
    }

    static func check(_ call: Invocation) async throws {
        let client = try call.client()
        for value in call.words {
            let answer = try await client.send(.get, "v1/allowlists/check/\(QueryString.escape(value))")
            let json = try JSON.parse(answer.body)
            let verdict =
                json["allowlisted"]?.bool == true
                ? "allowlisted by item \(json["reason"]?.string ?? "")" : "not allowlisted"
            call.print("\(value) is \(verdict)")
        }
    }
}

extension JSON {
    /// A member that is text, empty when there is none.
    fileprivate func text(_ key: String) -> String { self[key]?.string ?? "" }
    fileprivate var items: [JSON] { self["items"]?.array ?? [] }
    fileprivate var isManaged: Bool { self["console_managed"]?.bool ?? false }
    /// The zero time means never.
    fileprivate var expiration: String {
        let date = text("expiration")
        return date.isEmpty || date.hasPrefix("0001-") ? "never" : date
    }
}
