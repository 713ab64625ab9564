import CrowdTestSupport
import Testing

@Suite("A second instance", .enabled(if: TestHost.isPossible), .timeLimit(.minutes(5)))
struct SecondInstanceTests {
    @Test func aSecondLocalAPILeavesTheFirstItsPlaces() throws {
        let host = try TestHost()
        let socket = host.path + "/lapi.sock"
        try host.register()
        let text = Command.text(host.path + "/etc/config.yaml.local")
        try host.directory.write(
            "etc/config.yaml.local",
            text.replacing("server: {", with: "server: {listen_socket: \(socket), "))
        let first = try host.startLAPI()
        let second = try Command.run(host.program("crowd-lapi -c \(host.configPath)"))
        #expect(second.status == 1)
        #expect(second.output.contains("listen tcp 127.0.0.1:8080: bind: address already in use"), "\(second)")

        // On another port it wants the socket all the same.
        let other = Command.text(host.configPath).replacing("127.0.0.1:8080", with: "127.0.0.1:8081")
        try host.directory.write("etc/other.yaml", other)
        try host.directory.write("etc/other.yaml.local", Command.text(host.configPath + ".local"))
        let third = try Command.run(host.program("crowd-lapi -c \(host.path)/etc/other.yaml"))
        #expect(third.status == 1)
        #expect(third.output.contains("listen unix \(socket): bind: address already in use"), "\(third)")

        try host.cscli("machines add edge01 --auto --force --url \(socket)")
        #expect(try host.cscli("lapi status").contains("on \(socket)"))
        #expect(first.stop() == 0)
    }

    @Test func aSecondAgentDoesNotTouchTheFirstOnesState() throws {
        let host = try TestHost()
        try host.register()
        _ = [try host.startLAPI(), try host.startAgent()]
        let second = try Command.run(host.program("crowd-agent -c \(host.configPath)"), seconds: 30)
        #expect(second.status == 1)
        #expect(second.output.contains("\(host.path)/data/crowd-agent: another process is at work there"), "\(second)")
        AttackLog.append(AttackLog.bruteForce(by: "198.51.100.8"), to: host.followed)
        #expect(try host.alerts(about: ["198.51.100.8"]).filter { $0 == "198.51.100.8" }.count == 1)
    }
}
