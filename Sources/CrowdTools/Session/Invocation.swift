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

    func config() throws -> SuiteConfig { try loadedConfig ?? SuiteConfig.load(path: configPath) }

    func print(_ text: String) { terminal.print(text) }
    func info(_ text: String) { terminal.log(.info, text) }

    // MARK: Database

    /// The database itself, for commands that work without the server.
    func database() throws -> SQLiteConnection {
        let config = try config()
        guard config.runsServer else {
            throw CommandError("local API is disabled -- this command must be run on the local API machine")
        }
        guard let database = config.database else { throw CommandError("no database configuration provided") }
        guard database.kind == .sqlite, let path = database.path else {
            throw CommandError("unable to create database client: only sqlite is supported")
        }
        return try SQLiteConnection.open(SQLiteSettings(path: path, useWAL: database.useWAL ?? true))
    }

    // MARK: Local API

    func credentials() throws -> LAPICredentials {
        guard let path = try config().client?.credentialsPath else {
            throw CommandError("loading api client: no configuration path provided")
        }
        do { return try LAPICredentials.load(path: path) } catch { throw CommandError("loading api client: \(error)") }
    }

    func client() throws -> MachineClient {
        var settings = MachineClient.Settings(
            try credentials(), userAgent: SuiteVersion.userAgent("crowdsec"))
        settings.insecureSkipVerify = try config().client?.insecureSkipVerify ?? false
        settings.waitsWhenBusy = false
        return MachineClient(settings)
    }
}
