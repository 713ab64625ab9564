import CrowdCore
import CrowdHTTP
import CrowdLAPI
import CrowdStore

/// A command at work: its flags and words, and what it may need of the host. Configuration, database and Local API are
/// opened when first asked for, so that a command fails only over what it uses.
struct Invocation: Sendable {
    enum Output: String, CaseIterable, Sendable { case human, json, raw }

    let flags: FlagValues
    let words: [String]
    let output: Output
    let terminal: Terminal
    let configPath: String
    private let loadedConfig: SuiteConfig?

    init(
        flags: FlagValues, words: [String], output: Output, terminal: Terminal, configPath: String, config: SuiteConfig?
    ) {
        self.flags = flags
        self.words = words
        self.output = output
        self.terminal = terminal
        self.configPath = configPath
        loadedConfig = config
    }

    /// The same call, whose output goes to `page` and whose log is silent.
    func printing(on page: Terminal.Page) -> Invocation {
        var terminal = terminal
        terminal.page = page
        terminal.level = .fatal
        return Invocation(
            flags: flags, words: words, output: output, terminal: terminal, configPath: configPath,
            config: loadedConfig)
    }

    /// Runs another command as if it had been asked for.
    func perform(_ command: Command) async throws { try await command.action?(self) }

    func config() throws -> SuiteConfig { try loadedConfig ?? SuiteConfig.load(path: configPath) }

    func print(_ text: String) { terminal.print(text) }
    func info(_ text: String) { terminal.log(.info, text) }
    func debug(_ text: String) { terminal.log(.debug, text) }
    /// CSV to standard output.
    func print(csv lines: [[String]]) { terminal.print(lines.map(CSV.line).joined(), terminator: "") }

    // MARK: Database

    /// The database itself, for commands that work without the server.
    func database() throws -> any SQLConnection {
        let config = try config()
        guard config.runsServer else {
            throw CommandError("local API is disabled -- this command must be run on the local API machine")
        }
        guard let database = config.database else { throw CommandError("no database configuration provided") }
        do { return try Database.connection(database, applicationName: "cscli") } catch {
            throw CommandError("unable to create database client: \(error)")
        }
    }

    // MARK: Local API

    func credentials() throws -> LAPICredentials {
        guard let client = try config().client else {
            throw CommandError("loading api client: no API client section in configuration")
        }
        guard let path = client.credentialsPath else {
            throw CommandError("loading api client: no credentials or URL found in api client configuration ''")
        }
        guard FileContents.exists(path) else {
            throw CommandError(
                "loading api client: while reading yaml file: open \(path): no such file or directory")
        }
        do { return try LAPICredentials.load(path: path) } catch { throw CommandError("loading api client: \(error)") }
    }

    /// - Parameters:
    ///   - timeout: for one exchange.
    ///   - scenarios: what this machine says it looks for, when it logs in.
    func client(timeout: GoDuration = .seconds(60), scenarios: [String]? = nil) throws -> MachineClient {
        let credentials = try credentials()
        if case .url(let url) = credentials.endpoint { try LocalAPIAddress.check(url) }
        var settings = MachineClient.Settings(credentials, userAgent: SuiteVersion.userAgent("crowdsec"))
        settings.timeout = timeout
        settings.scenarios = scenarios
        settings.insecureSkipVerify = try config().client?.insecureSkipVerify ?? false
        settings.waitsWhenBusy = false
        return MachineClient(settings)
    }
}
