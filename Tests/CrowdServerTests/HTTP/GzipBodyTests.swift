import CrowdCore
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import CrowdServer

/// Bodies in gzip, inflated on the connection's event loop or elsewhere.
@Suite("Bodies in gzip") struct GzipBodyTests {
    struct Body: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var bytes: [UInt8]
        var status: Int
        var answer: String?
    }

    private static func packed(_ bytes: [UInt8]) -> [UInt8] { Gzip.compress(bytes, level: 1) ?? [] }
    private static let one = Array(ServerFixture.attack("192.0.2.1").utf8)
    private static let incompressible = Array(
        ServerFixture.attack("192.0.2.2").replacing(
            "\"m\"", with: "\"\((0..<100).map { _ in SecureRandom.uuid() }.joined())\""
        ).utf8)

    static let bodies = [
        Body(testDescription: "short", bytes: packed(one), status: 201, answer: #"["1"]"#),
        Body(testDescription: "long", bytes: packed(incompressible), status: 201, answer: #"["2"]"#),
        Body(testDescription: "short, broken", bytes: Array(packed(one).dropLast(12)), status: 400),
        Body(testDescription: "long, broken", bytes: Array(packed(incompressible).dropLast(12)), status: 400),
        Body(testDescription: "no gzip", bytes: one, status: 400, answer: #"{"message":"gzip: invalid header"}"#),
        Body(
            testDescription: "huge when inflated", bytes: packed([UInt8](repeating: 0x20, count: (50 << 20) + 1)),
            status: 400, answer: #"{"message":"http: request body too large"}"#),
    ]

    @Test func areInflatedWithinTheLimit() async throws {
        #expect(Self.bodies[0].bytes.count < BackgroundWork.compressedBytes)
        #expect(Self.bodies[1].bytes.count > BackgroundWork.compressedBytes)
        try await ServerFixture().test(.live) { client in
            let token = try await client.logIn()
            for body in Self.bodies {
                let fields: HTTPFields = [.authorization: "Bearer \(token)", .contentEncoding: "gzip"]
                try await client.http.execute(
                    uri: "/v1/alerts", method: .post, headers: fields, body: ByteBuffer(bytes: body.bytes)
                ) { response in
                    #expect(Int(response.status.code) == body.status, "\(body.testDescription)")
                    if let answer = body.answer { #expect(String(buffer: response.body) == answer) }
                }
            }
        }
    }
}
