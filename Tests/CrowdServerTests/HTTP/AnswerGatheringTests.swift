import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import CrowdServer

/// What leaves after each part of an answer, every part being flushed.
@Suite("Gathering answers") struct AnswerGatheringTests {
    enum Part: Sendable {
        case informational, head, end
        case body(Int)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var parts: [Part]
        /// Parts that have left after each.
        var left: [Int]
    }

    static let cases = [
        Case(testDescription: "no body", parts: [.head, .end], left: [0, 2]),
        Case(testDescription: "a short body", parts: [.head, .body(10), .end], left: [0, 0, 3]),
        Case(
            testDescription: "two answers", parts: [.head, .body(1), .end, .head, .end], left: [0, 0, 3, 3, 5]),
        Case(
            testDescription: "a long body leaves as it comes", parts: [.head, .body(40_000), .body(40_000), .end],
            left: [0, 2, 3, 4]),
        Case(
            testDescription: "many small pieces", parts: [.head, .body(20_000), .body(20_000), .body(20_000), .end],
            left: [0, 0, 3, 3, 5]),
        Case(testDescription: "what announces an answer", parts: [.informational, .head, .end], left: [1, 1, 3]),
    ]

    @Test(arguments: cases) func leavesTogether(_ example: Case) throws {
        let channel = EmbeddedChannel(handler: AnswerGathering())
        try channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
        var left = 0
        for (part, expected) in zip(example.parts, example.left) {
            let written: HTTPResponsePart =
                switch part {
                case .informational: .head(HTTPResponse(status: .continue))
                case .head: .head(HTTPResponse(status: .ok))
                case .body(let count): .body(ByteBuffer(repeating: 0x20, count: count))
                case .end: .end(nil)
                }
            channel.writeAndFlush(written, promise: nil)
            while try channel.readOutbound(as: HTTPResponsePart.self) != nil { left += 1 }
            #expect(left == expected)
        }
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
