internal import Glibc

/// One scraper's connection: reads a request's head, sends one answer, and waits for the other side to close.
///
/// ```
/// reading ──► writing ──► draining ──► closed
///    └───────────┴── broken, or too late ──┘
/// ```
struct ScrapeConnection {
    enum Limit {
        static let headBytes = 8 * 1024
        static let time = Duration.seconds(10)
    }

    private enum State { case reading, writing, draining }

    let fd: Int32
    let deadline: ContinuousClock.Instant
    private var state = State.reading
    private var head: [UInt8] = []
    private var answer: [UInt8] = []
    private var sent = 0

    /// - Parameter fd: connected and non-blocking; closing it is the caller's.
    init(fd: Int32) {
        self.fd = fd
        deadline = .now + Limit.time
    }

    /// What to wait for.
    var events: Int16 { Int16(state == .writing ? POLLOUT : POLLIN) }

    /// Does what can be done without waiting; false when the connection is over.
    mutating func proceed(_ respond: (ScrapeRequest) -> ScrapeAnswer) -> Bool {
        switch state {
        case .reading: read(respond)
        case .writing: write()
        case .draining: drain()
        }
    }

    private mutating func read(_ respond: (ScrapeRequest) -> ScrapeAnswer) -> Bool {
        var piece = [UInt8](repeating: 0, count: 1024)
        let count = recv(fd, &piece, piece.count, 0)
        guard count > 0 else { return count < 0 && Self.mayComeLater(errno) }
        head += piece[..<count]
        if let request = ScrapeRequest(head) {
            answer = respond(request).bytes(withBody: request.method != "HEAD")
        } else if head.count >= Limit.headBytes {
            answer = ScrapeAnswer(status: "431 Request Header Fields Too Large", text: "request too large\n").bytes()
        } else {
            return true
        }
        state = .writing
        return write()
    }

    private mutating func write() -> Bool {
        while sent < answer.count {
            let count = answer[sent...].withUnsafeBytes { send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return count < 0 && Self.mayComeLater(errno) }
            sent += count
        }
        answer = []
        state = .draining
        return shutdown(fd, Int32(SHUT_WR)) == 0
    }

    /// Closing with something unread would take the answer back (TCP resets the connection).
    private func drain() -> Bool {
        var piece = [UInt8](repeating: 0, count: 1024)
        let count = recv(fd, &piece, piece.count, 0)
        return count > 0 || (count < 0 && Self.mayComeLater(errno))
    }

    private static func mayComeLater(_ error: Int32) -> Bool { error == EAGAIN || error == EINTR }
}

/// The first line of a request whose head is complete.
struct ScrapeRequest: Equatable {
    let method: String
    /// Without query.
    let path: String

    /// Nil while the head's empty line has not come. A first line that is none gives an empty method.
    init?(_ head: [UInt8]) {
        guard Self.isComplete(head) else { return nil }
        let line = head.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        let isRequest = words.count == 3 && words[2].starts(with: Array("HTTP/1.".utf8))
        method = isRequest ? String(decoding: words[0], as: UTF8.self) : ""
        path = isRequest ? String(decoding: words[1].prefix { $0 != UInt8(ascii: "?") }, as: UTF8.self) : ""
    }

    private static func isComplete(_ head: [UInt8]) -> Bool {
        let newline = UInt8(ascii: "\n")
        let carriageReturn = UInt8(ascii: "\r")
        var lineLength = -1
        for byte in head {
            if byte == newline {
                if lineLength == 0 { return true }
                lineLength = 0
            } else if byte != carriageReturn {
                lineLength = max(lineLength, 0) + 1
            }
        }
        return false
    }
}

struct ScrapeAnswer {
    /// `200 OK`
    var status: String
    var type = "text/plain; charset=utf-8"
    var body: [UInt8]

    init(status: String, text: String) {
        self.status = status
        body = Array(text.utf8)
    }

    init(json: [UInt8]) {
        status = "200 OK"
        type = "application/json"
        body = json
    }

    init(exposition: [UInt8]) {
        status = "200 OK"
        type = "text/plain; version=0.0.4; charset=utf-8"
        body = exposition
    }

    func bytes(withBody: Bool = true) -> [UInt8] {
        let head = """
            HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n
            """
        return Array(head.utf8) + (withBody ? body : [])
    }
}
