import CrowdTestSupport
import Testing

@testable import CrowdCore

@Suite("Places that two processes want") struct PlaceTests {
    @Test func anAddressInUseIsSaid() throws {
        let first = try ListeningSocket(address: "127.0.0.1", port: 0)
        #expect(throws: ConfigError("listen tcp 127.0.0.1:\(first.port): bind: address already in use")) {
            try ListeningPlace.check(address: "127.0.0.1", port: first.port)
        }
    }

    @Test func aFreeAddressAndANameAreNot() throws {
        try ListeningPlace.check(address: "127.0.0.1", port: 0)
        try ListeningPlace.check(address: "::1", port: 0)
        try ListeningPlace.check(address: "localhost", port: 0)
        try ListeningPlace.check(address: "lapi.example", port: 8080)
    }

    @Test func aSocketThatAnswersIsLeftAlone() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/lapi.sock"
        try ListeningPlace.check(path: path)
        let first = try ListeningSocket(path: path)
        #expect(throws: ConfigError("listen unix \(path): bind: address already in use")) {
            try ListeningPlace.check(path: path)
        }
        first.close()
        try ListeningPlace.check(path: path)
        let file = try directory.write("notes", "mine")
        #expect(throws: ConfigError.self) { try ListeningPlace.check(path: file) }
    }

    @Test func aDirectoryIsOneProcessesAtATime() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/state"
        let first = try DirectoryLock(path, patience: .seconds(0))
        #expect(throws: ConfigError("\(path): another process is at work there")) {
            _ = try DirectoryLock(path, patience: .seconds(0))
        }
        withExtendedLifetime(first) {}
    }

    @Test func aDirectoryIsFreeAgainAfterwards() throws {
        let directory = try TemporaryDirectory()
        do { _ = try DirectoryLock(directory.path, patience: .seconds(0)) }
        _ = try DirectoryLock(directory.path, patience: .seconds(0))
    }
}
