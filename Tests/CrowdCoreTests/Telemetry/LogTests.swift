import CrowdTestSupport
import Glibc
import Logging
import Testing

@testable import CrowdCore

@Suite("Log records") struct LogRecordTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var testDescription: String { text }
        var message: String
        var fields: [(name: String, value: String)] = []
        var level = LogLevel.info
        var text: String
        var json: String
    }

    @Test(arguments: [
        Shape(
            message: "Starting processing data",
            text: "time=\"2026-11-21T08:17:29Z\" level=info msg=\"Starting processing data\"\n",
            json: "{\"level\":\"info\",\"msg\":\"Starting processing data\",\"time\":\"2026-11-21T08:17:29Z\"}\n"),
        Shape(
            message: "ready", fields: [("addr", "127.0.0.1:80"), ("file", "/var/log/auth.log")], level: .warning,
            text:
                "time=\"2026-11-21T08:17:29Z\" level=warning msg=ready addr=\"127.0.0.1:80\" file=/var/log/auth.log\n",
            json:
                "{\"addr\":\"127.0.0.1:80\",\"file\":\"/var/log/auth.log\",\"level\":\"warning\",\"msg\":\"ready\",\"time\":\"2026-11-21T08:17:29Z\"}\n"
        ),
        Shape(
            message: "a\"b\\\n\u{1B}[31m", level: .fatal,
            text: "time=\"2026-11-21T08:17:29Z\" level=fatal msg=\"a\\\"b\\\\\\n\\x1b[31m\"\n",
            json: "{\"level\":\"fatal\",\"msg\":\"a\\\"b\\\\\\n\\u001b[31m\",\"time\":\"2026-11-21T08:17:29Z\"}\n"),
    ])
    func areWrittenAsLogrusDoes(_ shape: Shape) throws {
        let time = try #require(Timestamp(rfc3339: "2026-11-21T08:17:29Z"))
        let record = LogRecord(time: time, level: shape.level, message: shape.message, fields: shape.fields)
        var text: [UInt8] = []
        record.appendText(to: &text)
        #expect(String(decoding: text, as: UTF8.self) == shape.text)
        var json: [UInt8] = []
        record.appendJSON(to: &json)
        #expect(String(decoding: json, as: UTF8.self) == shape.json)
    }

    @Test func levelsHoldForAllLoggersAtOnce() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/a.log"
        let logging = try SuiteLogging(.file(path: path, policy: LogFilePolicy()), level: .warning)
        var log = logging.logger("test")
        log[metadataKey: "part"] = "x y"
        log.info("not this")
        log.error("this", metadata: ["n": "1"])
        logging.level = .debug
        log.debug("that")
        let lines = String(decoding: try FileContents.read(path), as: UTF8.self).split(separator: "\n")
        #expect(
            lines.map { $0.drop { $0 != "l" } } == [
                "level=error msg=this n=1 part=\"x y\"", "level=debug msg=that part=\"x y\"",
            ])
    }
}

@Suite("Log files") struct LogFileTests {
    @Test func oldFilesAreRemovedByCountAndAge() throws {
        var policy = LogFilePolicy()
        policy.maxFiles = 2
        policy.maxDays = 10
        let now = try #require(Timestamp(rfc3339: "2026-11-21T08:00:00Z"))
        let names = [
            "c.log", "c-2026-11-21T07-00-00.000.log", "c-2026-11-20T07-00-00.000.log.gz",
            "c-2026-11-19T07-00-00.000.log.gz",
            "c-2026-10-01T07-00-00.000.log.gz", "c-other.log", "d-2026-11-19T07-00-00.000.log",
        ]
        #expect(
            policy.superfluous(names, of: "c.log", now: now)
                == ["c-2026-10-01T07-00-00.000.log.gz", "c-2026-11-19T07-00-00.000.log.gz"])
    }

    @Test func aFullFileIsRenamedAndCompressed() throws {
        let directory = try TemporaryDirectory()
        var policy = LogFilePolicy()
        policy.maxBytes = 100
        let file = try RotatingLogFile(path: directory.path + "/c.log", policy: policy)
        for _ in 0..<3 { file.write([UInt8](repeating: 65, count: 60)) }
        #expect(try FileContents.read(directory.path + "/c.log").count == 60)
        let isCompressed = directory.waits { names in names.contains { $0.hasSuffix(".log.gz") } }
        #expect(isCompressed)
    }

    @Test func backupNamesCarryTheirTime() throws {
        let time = try #require(Timestamp(rfc3339: "2026-11-21T08:17:29.045Z"))
        let name = LogFilePolicy.backupName(of: "crowdsec.log", at: time)
        #expect(name == "crowdsec-2026-11-21T08-17-29.045.log")
        #expect(LogFilePolicy.time(ofBackup: name + ".gz", file: "crowdsec.log") == time)
    }
}

@Suite("systemd and syslog sockets", .serialized) struct NotificationTests {
    @Test func readinessIsToldToSystemd() throws {
        let directory = try TemporaryDirectory()
        let socket = try DatagramReceiver(path: directory.path + "/n")
        setenv("NOTIFY_SOCKET", directory.path + "/n", 1)
        defer { unsetenv("NOTIFY_SOCKET") }
        ServiceManager.ready(status: "enforcing 5 decisions")
        #expect(socket.next() == "READY=1\nSTATUS=enforcing 5 decisions")
    }

    @Test func syslogGetsOneDatagramPerRecord() throws {
        let directory = try TemporaryDirectory()
        let socket = try DatagramReceiver(path: directory.path + "/log")
        let syslog = SyslogSocket(program: "crowd-agent", path: directory.path + "/log")
        syslog.write(LogRecord(time: .now(), level: .error, message: "no disk", fields: []))
        #expect(socket.next() == "<27>crowd-agent[\(getpid())]: level=error msg=\"no disk\"")
    }
}
