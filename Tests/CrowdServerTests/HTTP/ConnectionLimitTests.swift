import NIOEmbedded
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
}
