import CrowdTestSupport
import Testing

@Suite("What is added") struct AdditionTests {
    private let directory: TemporaryDirectory
    private let cscli: String

    init() throws {
        directory = try TemporaryDirectory()
        let path = directory.path
        let config = try directory.write(
            "config.yaml",
            """
            config_paths: {config_dir: \(path), data_dir: \(path)}
            db_config: {type: sqlite, db_path: \(path)/crowdsec.db}
            api:
              client: {credentials_path: \(path)/credentials.yaml}
              server: {listen_uri: "127.0.0.1:8080", profiles_path: \(path)/profiles.yaml}
            """)
        cscli = "\(Command.built("cscli")) -c \(config)"
    }

    private func run(_ line: String) throws -> Command.Result {
        try Command.run(["/bin/sh", "-c", "\(cscli) \(line)"])
    }

    /// So that `-f - > credentials.yaml` gives a file that can be used.
    @Test func credentialsGoToStandardOutputAndMessagesDoNot() throws {
        let result = try run("machines add web01 --auto -f - 2>\(directory.path)/messages")
        let credentials = try Regex("^url: http://127.0.0.1:8080\nlogin: web01\npassword: [A-Za-z0-9]{64}\n$")
        #expect(result.output.contains(credentials))
        #expect(Command.text(directory.path + "/messages") == "Machine 'web01' successfully added to the local API.\n")
    }

    @Test func nobodyGetsAnEmptyPassword() throws {
        let result = try run("machines add web01 --interactive -f /dev/null 2>&1 </dev/null")
        #expect(result.status == 1)
        #expect(result.output.hasSuffix("Error: cscli machines add: no password was given\n"))
        #expect(try run("machines list -o raw").output.split(separator: "\n").count == 1)
    }

    @Test(arguments: [
        (
            "--color yes machines delete nobody",
            "\u{1B}[31mERROR\u{1B}[0m unable to delete machine: 'nobody' does not exist\n"
        ),
        (
            "--color no machines delete nobody",
            "level=error msg=\"unable to delete machine: 'nobody' does not exist\"\n"
        ),
    ])
    func errorsAreRed(_ line: String, _ output: String) throws {
        #expect(try run(line + " 2>&1").output == output)
    }

    /// A script's variable that nobody set.
    @Test(arguments: [
        ("machines add '' --auto -f /dev/null", "cscli machines add: the name of a machine cannot be empty"),
        ("bouncers add ''", "cscli bouncers add: the name of a bouncer cannot be empty"),
        ("allowlists create '' -d x", "cscli allowlists create: the name of an allowlist cannot be empty"),
        ("decisions add -i 192.0.2.1 -t ''", "cscli decisions add: the type of a decision cannot be empty"),
        ("decisions add --scope '' -v x", "cscli decisions add: the scope of a decision cannot be empty"),
        ("decisions add -r 192.0.2.1", "cscli decisions add: 192.0.2.1 is not a valid range"),
        (
            "bouncers add \(String(repeating: "x", count: 256))",
            "cscli bouncers add: the name of a bouncer cannot be longer than 255 bytes"
        ),
    ])
    func nothingWithoutAName(_ line: String, _ error: String) throws {
        let result = try run(line + " 2>&1")
        #expect(result.status == 1 && result.output == "Error: \(error)\n")
    }
}
