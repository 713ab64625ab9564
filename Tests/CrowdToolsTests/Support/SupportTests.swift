import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdTools

@Suite("Support dump") struct SupportTests {
    struct Secret: Sendable, CustomTestStringConvertible {
        var yaml: String
        var shown: String
        var testDescription: String { yaml }
    }

    @Test(arguments: [
        Secret(
            yaml: "db_config: {password: x, db_name: y}", shown: "db_config:\n  password: (redacted)\n  db_name: y\n"),
        Secret(yaml: "token: [a, b]", shown: "token: (redacted)\n"),
        Secret(yaml: "auto_registration: {token: abc}", shown: "auto_registration:\n  token: (redacted)\n"),
        Secret(yaml: "headers: {X: y}", shown: "headers: (redacted)\n"),
        Secret(yaml: "tls: {key_file: /etc/key.pem}", shown: "tls:\n  key_file: /etc/key.pem\n"),
        Secret(yaml: "password:", shown: "password:\n"),
        Secret(yaml: "brokers: ['https://a:b@h/x']", shown: "brokers:\n  - https://(redacted)@h/x\n"),
        Secret(yaml: "a: 1 # password: b", shown: "a: 1\n"),
    ])
    func redacts(_ secret: Secret) { #expect(Redaction.yaml(Array(secret.yaml.utf8), file: "x") == secret.shown) }

    @Test func whatCannotBeReadIsLeftOut() {
        let text = Redaction.yaml(Array("password: [hunter2".utf8), file: "x.yaml")
        #expect(text.hasPrefix("# left out, because it cannot be read: x.yaml:") && !text.contains("hunter2"))
    }

    @Test func anotherProgramReadsTheZip() throws {
        var archive = ZipArchive(at: Timestamp(seconds: 1_700_000_000))
        archive.add("a.txt", Array("hello\n".utf8))
        archive.add("d/é.bin", [UInt8](repeating: 3, count: 70_000))
        let directory = try TemporaryDirectory()
        let path = try directory.write("x.zip", archive.finished())
        let script =
            "import zipfile,sys;z=zipfile.ZipFile(sys.argv[1]);print(z.testzip(),[(i.filename,i.file_size) "
            + "for i in z.infolist()],z.read('a.txt'))"
        let result = try CrowdTestSupport.Command.run(["python3", "-c", script, path])
        #expect(result.output == "None [('a.txt', 6), ('d/é.bin', 70000)] b'hello\\n'\n")
    }

    @Test func aDumpHasEveryPartAndNoSecret() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        try directory.write(
            "config.yaml",
            """
            common: {log_dir: \(path)/log}
            config_paths: {data_dir: \(path)}
            crowdsec_service: {acquisition_dir: \(path)/acquis.d}
            db_config: {type: sqlite, db_path: \(path)/crowdsec.db}
            api:
              client: {credentials_path: \(path)/credentials.yaml}
              server: {listen_uri: 127.0.0.1:1, profiles_path: \(path)/profiles.yaml,
                auto_registration: {enabled: true, token: hunter2hunter2hunter2hunter2hunter2, allowed_ranges: ['::1/128']}}
            """)
        try directory.write("credentials.yaml", "url: http://127.0.0.1:1\nlogin: me\npassword: hunter2\n")
        try directory.write("profiles.yaml", "name: a\n")
        try directory.write(
            "acquis.d/k.yaml", "source: http\nauth_type: headers\nheaders: {K: hunter2}\nlabels: {type: x}\n")
        try directory.write("log/crowdsec.log", "a line\n")
        let cscli = [CrowdTestSupport.Command.built("cscli"), "-c", path + "/config.yaml"]
        let result = try CrowdTestSupport.Command.run(cscli + ["support", "dump", "-f", path + "/s.zip"], seconds: 60)
        #expect(result.status == 0, "\(result)")
        let script =
            "import zipfile,sys;z=zipfile.ZipFile(sys.argv[1]);"
            + "print(sorted(z.namelist()),any(b'hunter2' in z.read(n) for n in z.namelist()),z.read('log/crowdsec.log'))"
        let read = try CrowdTestSupport.Command.run(["python3", "-c", script, path + "/s.zip"]).output
        for name in [
            "config/crowdsec.yaml", "config/profiles.yaml", "hub.txt", "lapi/agents.txt", "lapi/bouncers.txt",
            "lapi_status.txt", "dump.log", "version.txt", "features.txt", "system.yaml",
            "config/acquis/" + (path + "/acquis.d/k.yaml").replacing("/", with: "___"),
        ] {
            #expect(read.contains("'\(name)'"), "\(read)")
        }
        #expect(read.hasSuffix("] False b'a line\\n'\n"), "\(read)")
    }
}
