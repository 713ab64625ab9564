import CrowdCore
import CrowdHTTP
import CrowdLAPI

extension Command {
    /// `cscli lapi` (surface facts A.9).
    static let lapi = Command(
        name: "lapi", summary: "Manage interaction with Local API (LAPI)",
        subcommands: [
            Command(
                name: "register", summary: "Register a machine to Local API (LAPI)",
                flags: [
                    .text("url", "u", "URL of the API (ie. http://127.0.0.1)"),
                    .text("file", "f", "output file destination"),
                    .text("machine", nil, "Name of the machine to register with"),
                    .text("token", nil, "Auto registration token to use"),
                ]
            ) { try await LAPICommands.register($0) },
            Command(name: "status", summary: "Check authentication to Local API (LAPI)") {
                try await LAPICommands.status($0)
            },
            .lapiContext,
        ])
}

enum LAPICommands {
    static func status(_ call: Invocation) async throws {
        let credentials = try call.credentials()
        let path = try call.config().client?.credentialsPath ?? ""
        let identity =
            credentials.login.map { "username \"\($0)\"" } ?? "certificate \"\(credentials.certPath ?? "")\""
        call.print("Loaded credentials from \(path)")
        call.print("Trying to authenticate with \(identity) on \(credentials.endpoint.text)")
        do { try await call.client(scenarios: call.installedScenarios()).authenticate() } catch {
            var reason = "\(error)"
            if case LAPIError.unreachable(let fault) = error {
                reason = GoNetworkError.logIn(fault, at: credentials.endpoint)
            }
            throw CommandError("failed to authenticate to Local API (LAPI): \(reason)")
        }
        call.print("You can successfully interact with Local API (LAPI)")
    }

    static func register(_ call: Invocation) async throws {
        let url = try url(call)
        let login = call.flags.nonEmpty("machine") ?? MachineIdentity.generatedID()
        let password = MachineIdentity.generatedPassword()
        try await post(login, password, to: url, call)
        call.info("Successfully registered to Local API (LAPI)")
        let text = CredentialsFile.yaml(url: url, login: login, password: password)
        let path = try call.flags.nonEmpty("file") ?? call.config().client?.credentialsPath
        guard let path, path != "-" else { return call.terminal.print(text, terminator: "") }
        try CredentialsFile.write(text, to: path)
        call.info("Local API credentials written to '\(path)'")
        call.terminal.log(
            .warning, "Run 'sudo systemctl reload crowdsec' for the new configuration to be effective.")
    }

    /// The flag, else what the credentials file says; a bare host gets a scheme.
    private static func url(_ call: Invocation) throws -> String {
        guard var url = call.flags.nonEmpty("url") ?? known(call) else {
            throw CommandError("no Local API URL: please specify it with -u")
        }
        if url.hasPrefix("/") { return url }
        if !url.hasPrefix("http://") && !url.hasPrefix("https://") { url = "http://" + url }
        url = url.hasSuffix("/") ? url : url + "/"
        do { try LocalAPIAddress.check(url) } catch { throw CommandError("parsing api url: \(error)") }
        return url
    }

    private static func known(_ call: Invocation) -> String? {
        (try? call.credentials())?.endpoint.text
    }

    private static func post(_ login: String, _ password: String, to url: String, _ call: Invocation) async throws {
        let agent = SuiteVersion.userAgent("crowdsec")
        var endpoint =
            url.hasPrefix("/")
            ? HTTPEndpoint(socketPath: url, userAgent: agent) : HTTPEndpoint(baseURL: url, userAgent: agent)
        endpoint.insecureSkipVerify = try call.config().client?.insecureSkipVerify ?? false
        endpoint.caPath = (try? call.credentials())?.caPath
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("machine_id", login)
        writer.member("password", password)
        if let token = call.flags.nonEmpty("token") { writer.member("registration_token", token) }
        writer.endObject()
        let request = HTTPRequest(
            .post, "v1/watchers", headers: [("Content-Type", "application/json")], body: writer.bytes)
        let answer: HTTPResponse
        do { answer = try await HTTPClient(endpoint).send(request) } catch {
            let reason = GoNetworkError.text(error, url: url)
            let target = url.hasPrefix("/") ? "http://unix/" : url
            throw CommandError("api client register: api register (\(url)): Post \"\(target)v1/watchers\": \(reason)")
        }
        guard !answer.isSuccess else { return }
        let message = (try? JSON.parse(answer.body))?["message"]?.string ?? "http code \(answer.status)"
        let status = "\(answer.status) \(GoNetworkError.reason(answer.status))"
        let detail = answer.status == 422 ? "http code 422, invalid request: \(message)" : message
        throw CommandError("api client register: api register (\(url)) http \(status): API error: \(detail)")
    }
}
