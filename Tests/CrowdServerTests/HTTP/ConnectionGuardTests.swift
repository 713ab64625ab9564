import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Testing

@testable import CrowdServer

/// Connections that take their time, on a clock moved by hand.
@Suite("Connection guard") struct ConnectionGuardTests {
    enum Step: Sendable {
        case wait(Int64)
        case head, body, end, answerHead, answerEnd
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var steps: [Step]
        var isOpen: Bool
    }

    static let cases = [
        Case(testDescription: "says nothing, not too long", steps: [.wait(119)], isOpen: true),
        Case(testDescription: "says nothing", steps: [.wait(121)], isOpen: false),
        Case(testDescription: "body comes in time", steps: [.wait(100), .head, .wait(50), .body, .end], isOpen: true),
        Case(
            testDescription: "body does not end", steps: [.wait(100), .head, .wait(59), .body, .wait(2)], isOpen: false),
        Case(testDescription: "one byte of body a while", steps: [.head, .wait(30), .body, .wait(29)], isOpen: true),
        Case(testDescription: "a held request", steps: [.head, .end, .wait(3000)], isOpen: true),
        Case(
            testDescription: "takes its answer slowly", steps: [.head, .end, .wait(5), .answerHead, .wait(599)],
            isOpen: true),
        Case(
            testDescription: "does not take its answer", steps: [.head, .end, .wait(5), .answerHead, .wait(601)],
            isOpen: false),
        Case(
            testDescription: "idle after an answer",
            steps: [.head, .end, .answerHead, .answerEnd, .wait(119)], isOpen: true),
        Case(
            testDescription: "idle for long after an answer",
            steps: [.head, .end, .answerHead, .answerEnd, .wait(121)], isOpen: false),
    ]

    @Test(arguments: cases) func closesWhatTakesTooLong(_ example: Case) throws {
        let loop = EmbeddedEventLoop()
        let channel = EmbeddedChannel(handler: ConnectionGuard(), loop: loop)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
        for step in example.steps {
            switch step {
            case .wait(let seconds): loop.advanceTime(by: .seconds(seconds))
            case .head:
                let head = HTTPRequest(method: .post, scheme: nil, authority: nil, path: "/")
                try channel.writeInbound(HTTPRequestPart.head(head))
            case .body: try channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
            case .end: try channel.writeInbound(HTTPRequestPart.end(nil))
            case .answerHead: try channel.writeOutbound(HTTPResponsePart.head(HTTPResponse(status: .ok)))
            case .answerEnd: try channel.writeOutbound(HTTPResponsePart.end(nil))
            }
        }
        #expect(channel.isActive == example.isOpen)
    }
}
