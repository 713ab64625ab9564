import CrowdCore
import CrowdTestSupport
import Testing

@Suite("Setup, as a program") struct SetupProgramTests {
    @Test func systemdIsAskedAndFilesAreWritten() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        try directory.write(
            "bin/systemctl",
            """
            #!/bin/sh
            case "$1" in
            list-unit-files) echo "mock.service enabled" ;;
            show) printf 'User=www\\nStandardOutput=journal\\n' ;;
            esac
            """)
        try Command.must("chmod +x \(path)/bin/systemctl")
        try directory.write(
            "detect.yaml",
            """
            detect:
              mock:
                when:
                  - Systemd.UnitInstalled("mock.service")
                  - Systemd.UnitConfig("mock.service", "User") == "www"
                  - Systemd.UnitLogsToJournal("mock.service")
                acquisition_spec:
                  filename: mock.yaml
                  datasource: {source: journalctl, labels: {type: syslog}}
              other: {when: ['Systemd.UnitInstalled("other.service")']}
            """)
        try directory.write(
            "config.yaml",
            "config_paths: {data_dir: \(path)}\ncrowdsec_service: {acquisition_dir: \(path)/acquis.d}\n")
        try directory.write("hub/.index.json", "{}")
        func cscli(_ line: String) throws -> Command.Result {
            try Command.run(
                ["/usr/bin/env", "PATH=\(path)/bin:/usr/bin:/bin", Command.built("cscli"), "-c", path + "/config.yaml"]
                    + line.split(separator: " ").map(String.init))
        }
        let detected = try cscli("setup detect -o json")
        #expect(try JSON.parse(Array(detected.output.utf8))["setup"]?.array?.count == 1, "\(detected)")
        #expect(try cscli("setup detect --skip-systemd").output.contains("\"setup\": []"))
        #expect(try cscli("setup detect --list-supported-services").output == "mock\nother\n")
        let file = path + "/acquis.d/setup.mock.yaml"
        #expect(try cscli("setup unattended --dry-run").output.contains("(dry run) \(file)\n"))
        #expect(!FileContents.exists(file))
        #expect(try cscli("setup unattended").output.contains("creating \(file)\n"))
        #expect(Command.text(file).hasSuffix("\nsource: journalctl\nlabels:\n  type: syslog\n"))
        try directory.write("config.yaml", "config_paths: {data_dir: \(path)}\n")
        let refusal = try cscli("setup unattended")
        #expect(refusal.status == 1)
        #expect(
            refusal.output.contains(
                "log processor is disabled -- this command cannot run on a LAPI-only instance"))
    }
}
