import Hummingbird
import HummingbirdTesting
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing

@testable import CrowdServer

@Suite("Connection limit") struct ConnectionLimitTests {
    @Test func admitsAsManyAsItMay() throws {
        let limit = ConnectionLimit(most: 2)
        let channels = (0..<4).map { _ in EmbeddedChannel() }
        #expect(channels.map { limit.admits($0) } == [true, true, false, false] && limit.count == 2)
        for channel in [channels[0], channels[2]] { _ = try channel.finish() }
        #expect(limit.count == 1)
        let later = (0..<2).map { _ in EmbeddedChannel() }
        #expect(later.map { limit.admits($0) } == [true, false])
    }

    @Test func leavesDescriptorsToOthers() {
        #expect(ConnectionLimit().most >= 64)
    }

    /// Each refused connection is closed at once, or it would hold a descriptor until none is left to accept with.
    @Test func whatIsRefusedIsClosed() async throws {
        let fixture = try await ServerFixture()
        let limit = ConnectionLimit(most: 5)
        let application = Application(
            responder: LAPIResponder(api: fixture.api), server: LocalAPIService.builder(nil, limit),
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)))
        try await application.test(.live) { client in
            // One is the client's own.
            #expect(try await client.execute(uri: "/health", method: .get) { $0.status } == .ok)
            let port = try #require(client.port)
            let first = try await Self.connect(40, to: port)
            try await Self.wait { first.count { $0.isActive } <= 4 }
            #expect(first.count { $0.isActive } == 4 && limit.count == 5)
            for channel in first { try? await channel.close() }
            try await Self.wait { limit.count <= 1 }
            let second = try await Self.connect(4, to: port)
            try await Self.wait { limit.count == 5 }
            #expect(second.count { $0.isActive } == 4)
            for channel in second { try? await channel.close() }
        }
        await fixture.remove()
    }

    /// They close when the other side does.
    private static func connect(_ count: Int, to port: Int) async throws -> [any Channel] {
        var channels: [any Channel] = []
        for _ in 0..<count {
            let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            channels.append(try await bootstrap.connect(host: "127.0.0.1", port: port).get())
        }
        return channels
    }

    private static func wait(until condition: () -> Bool) async throws {
        for _ in 0..<1000 where !condition() { try await Task.sleep(for: .milliseconds(10)) }
    }
}
