import CrowdCore
import CrowdStore
import Glibc

/// `cscli machines add`: a validated machine, and the credentials file its agent or `cscli` logs in with.
struct MachineAddition {
    let call: Invocation
    private let config: SuiteConfig

    init(_ call: Invocation) throws {
        self.call = call
        config = try call.config()
    }

    func run() throws {
        let database = try call.database()
        let name = try name()
        let target = try target()
        let password = try password()
        let scope = try call.flags.nonEmpty("scope").map { try MachineCommands.scope(from: $0) }
        try store(name, password, in: database)
        if let scope {
            try database.transaction { () throws(StoreError) in
                try MachineQueries.setScope(scope, of: name, in: database)
            }
        }
        call.terminal.note("Machine '\(name)' successfully added to the local API.")
        let text = CredentialsFile.yaml(url: url(), login: name, password: password)
        guard let target else { return call.terminal.print(text, terminator: "") }
        try CredentialsFile.write(text, to: target)
        call.terminal.note("API credentials written to '\(target)'.")
    }

    private func name() throws -> String {
        if let name = call.words.first {
            try NewName.check(name, of: "a machine")
            return name
        }
        guard call.flags.isOn("auto") else {
            throw CommandError("please specify a machine name to add, or use --auto", showsHelp: true)
        }
        return MachineIdentity.generatedID()
    }

    private func password() throws -> String {
        if let password = call.flags.nonEmpty("password") {
            guard password.utf8.count <= PasswordHash.maxPasswordBytes else {
                throw CommandError("password too long (max 72 characters)")
            }
            return password
        }
        if call.flags.isOn("interactive") {
            let text = getpass("Please provide a password for the machine: ").map { String(cString: $0) }
            guard let text, !text.isEmpty else { throw CommandError("no password was given") }
            return text
        }
        guard call.flags.isOn("auto") else {
            throw CommandError(
                "please specify a password with --password or use --auto", showsHelp: true)
        }
        return MachineIdentity.generatedPassword()
    }

    /// The file to write; nil prints.
    private func target() throws -> String? {
        if let file = call.flags.nonEmpty("file") { return file == "-" ? nil : file }
        guard let path = config.client?.credentialsPath else {
            throw CommandError("no client credentials path is configured: please specify a destination with -f")
        }
        if FileContents.exists(path) && !call.flags.isOn("force") {
            throw CommandError(
                "credentials file '\(path)' already exists: please remove it, use \"--force\" or specify a different "
                    + "file with \"-f\" (\"-f -\" for standard output)")
        }
        return path
    }

    private func store(_ name: String, _ password: String, in database: any SQLConnection) throws {
        guard let hash = PasswordHash.make(password) else { throw CommandError("unable to hash the password") }
        let now = Timestamp.now()
        if try MachineQueries.find(name, in: database) != nil {
            guard call.flags.isOn("force") else {
                throw CommandError("unable to create machine: user '\(name)': user already exist")
            }
            _ = try MachineQueries.setPassword(name, hash: hash, at: now, in: database)
            return
        }
        var machine = MachineRecord(machineID: name, passwordHash: hash)
        machine.isValidated = true
        _ = try MachineQueries.insert(machine, at: now, in: database)
    }

    /// Where the machine finds the server: the flag, the existing credentials, the socket, the address.
    private func url() -> String? {
        if let url = call.flags.nonEmpty("url") { return url }
        if let known = try? call.credentials() {
            switch known.endpoint {
            case .url(let url): return url
            case .socket(let path): return path
            }
        }
        guard let server = config.server else { return nil }
        return server.listenSocket
            ?? server.listenURI.map { "\(server.tls?.certPath == nil ? "http" : "https")://\($0)" }
    }
}
