internal import CrowdCore
internal import Glibc
internal import Synchronization

/// An HTTP/1.1 server on loopback whose answers are a closure: the Local API of tests. One thread per connection,
/// keep-alive, stops when released.
public final class ScriptedServer: Sendable {
    public struct Request: Sendable {
        public var method: String
        /// With query.
        public var path: String
        /// Names in lower case.
        public var headers: [String: String]
        public var body: [UInt8]
        /// Counts connections, so that keep-alive can be seen.
        public var connection: Int
    }

    public struct Response: Sendable {
        public var status: Int
        public var headers: [(String, String)]
        public var body: [UInt8]
        /// Close without answering.
        public var drops = false
        /// Announce the whole body, send this much of it, and close.
        public var breaksAfter: Int?

        public init(_ status: Int, _ text: String = "", headers: [(String, String)] = []) {
            self.init(status, bytes: Array(text.utf8), headers: headers)
        }

        public init(_ status: Int, bytes: [UInt8], headers: [(String, String)] = []) {
            self.status = status
            self.headers = headers
            body = bytes
        }

        public static let drop: Response = {
            var response = Response(0)
            response.drops = true
            return response
        }()
    }

    public typealias Handler = @Sendable (Request) -> Response

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var open: Set<Int32> = []
        var isStopped = false
    }

    public let port: Int
    public var url: String { "http://127.0.0.1:\(port)/" }
    private let listener: Int32
    private let handler: Handler
    private let state = Mutex(State())

    /// - Parameter socketPath: listen there instead of on a free TCP port.
    public init(socketPath: String? = nil, _ handler: @escaping Handler) throws {
        let (fd, port) = try socketPath.map { (try Self.listen(path: $0), 0) } ?? Self.listenTCP()
        listener = fd
        self.port = port
        self.handler = handler
        let link = Link(self)
        PlainThread.start("scripted") { Self.accept(fd) { link.server } }
    }

    deinit { stop() }

    /// Closes the listener and all connections.
    public func stop() {
        state.withLock { state in
            // Its number may be another's by now.
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for fd in state.open { shutdown(fd, Int32(SHUT_RDWR)) }
        }
    }

    /// What has been asked so far.
    public var requests: [Request] { state.withLock { $0.requests } }

    private static func accept(_ fd: Int32, _ server: @escaping @Sendable () -> ScriptedServer?) {
        while true {
            let peer = Glibc.accept(fd, nil, nil)
            guard peer >= 0 else {
                close(fd)
                return
            }
            guard let number = server()?.register(peer) else {
                close(peer)
                continue
            }
            PlainThread.start("scripted-peer") {
                var stream = RequestStream(fd: peer, connection: number)
                while let request = stream.next(), let server = server(), server.answer(request, on: peer) {}
                server()?.forget(peer)
                // A program that another test starts may have a copy: closing alone would not end the connection then.
                shutdown(peer, Int32(SHUT_RDWR))
                close(peer)
            }
        }
    }

    private func register(_ peer: Int32) -> Int {
        state.withLock { state in
            state.open.insert(peer)
            state.connections += 1
            return state.connections
        }
    }

    private func forget(_ peer: Int32) { state.withLock { _ = $0.open.remove(peer) } }

    private func answer(_ request: Request, on fd: Int32) -> Bool {
        state.withLock { $0.requests.append(request) }
        let response = handler(request)
        if response.drops { return false }
        var head = "HTTP/1.1 \(response.status) X\r\n"
        for header in response.headers { head += "\(header.0): \(header.1)\r\n" }
        head += "Content-Length: \(response.body.count)\r\n\r\n"
        let body = response.body.prefix(request.method == "HEAD" ? 0 : response.breaksAfter ?? .max)
        let bytes = Array(head.utf8) + body
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                send(fd, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        if response.breaksAfter != nil { shutdown(fd, Int32(SHUT_RDWR)) }
        return response.breaksAfter == nil
    }

    private static func listenTCP() throws -> (Int32, Int) {
        let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(fd, raw, length) == 0 && Glibc.listen(fd, 64) == 0 && getsockname(fd, raw, &length) == 0
            }
        }
        guard status else { throw SupportError("listen: \(errno)") }
        return (fd, Int(UInt16(bigEndian: address.sin_port)))
    }

    static func listen(path: String) throws -> Int32 {
        let fd = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(fd, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && Glibc.listen(fd, 64) == 0
            }
        }
        guard status else { throw SupportError("listen \(path): \(errno)") }
        return fd
    }
}

/// Lets the threads see the server without keeping it.
private final class Link: Sendable {
    private let box: Mutex<WeakBox>
    private struct WeakBox { weak var server: ScriptedServer? }
    init(_ server: ScriptedServer) { box = Mutex(WeakBox(server: server)) }
    var server: ScriptedServer? { box.withLock { $0.server } }
}

/// Requests of one connection.
private struct RequestStream {
    let fd: Int32
    let connection: Int
    private var buffer: [UInt8] = []

    init(fd: Int32, connection: Int) {
        self.fd = fd
        self.connection = connection
    }

    mutating func next() -> ScriptedServer.Request? {
        var headEnd = 0
        while true {
            if let end = Self.endOfHead(buffer) {
                headEnd = end
                break
            }
            guard fill() else { return nil }
        }
        let lines = String(decoding: buffer[..<headEnd], as: UTF8.self).split(separator: "\r\n")
        let first = lines.first?.split(separator: " ") ?? []
        guard first.count == 3 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2 { headers[parts[0].lowercased()] = String(parts[1].drop { $0 == " " }) }
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        while buffer.count < headEnd + length { guard fill() else { return nil } }
        let body = Array(buffer[headEnd..<(headEnd + length)])
        buffer.removeFirst(headEnd + length)
        return .init(
            method: String(first[0]), path: String(first[1]), headers: headers, body: body, connection: connection)
    }

    private mutating func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 65536)
        let count = recv(fd, &piece, piece.count, 0)
        guard count > 0 else { return false }
        buffer.append(contentsOf: piece[..<count])
        return true
    }

    private static func endOfHead(_ bytes: [UInt8]) -> Int? {
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first {
            bytes[$0] == 13 && bytes[$0 + 1] == 10 && bytes[$0 + 2] == 13 && bytes[$0 + 3] == 10
        }.map { $0 + 4 }
    }
}
