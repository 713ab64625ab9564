public import CrowdCore
internal import Glibc
internal import Synchronization

/// A Docker Engine as far as logs go, on a unix socket: containers and services that exist on paper only.
///
/// It answers as the real one does: versioned paths, chunked streams, frames of eight bytes and a payload where there is no
/// terminal, a time stamp before each entry, lines above 16 KiB in several entries, 404 with a message.
public final class FakeDockerEngine: Sendable {
    public static let version = "1.43"
    private static let entryBytes = 16 * 1024

    /// What `docker run` says of a container, or `docker service create` of a service.
    public struct Subject: Sendable {
        public var id: String
        public var name: String
        public var image = "debian:12"
        public var labels: [String: String] = [:]
        public var isTTY = false
        public var isService = false

        public init(id: String, name: String) {
            self.id = id
            self.name = name
        }
    }

    struct Entry: Sendable {
        var time: Timestamp
        /// 1 for standard output, 2 for standard error.
        var stream: UInt8
        var task: String
        var text: [UInt8]
        /// Told to those only who followed before.
        var isRepeat = false
    }

    struct Life: Sendable {
        var subject: Subject
        var entries: [Entry] = []
        var isRunning = true
        var created = Timestamp.now()
        var started = Timestamp.now()
    }

    struct Event: Sendable {
        var time: Timestamp
        var type: String
        var action: String
        var id: String
    }

    struct State {
        var lives: [String: Life] = [:]
        var events: [Event] = []
        var open: Set<Int32> = []
        var isAway = false
        var isStopped = false
        var isManager = false
        var asked: [String] = []
        /// Streams are sent in pieces of so many bytes.
        var pieceBytes = 4_096
    }

    public let socketPath: String
    private let listener: Int32
    private let state = Mutex(State())

    public init(socketPath: String) throws {
        self.socketPath = socketPath
        listener = try ScriptedServer.listen(path: socketPath)
        let fd = listener
        PlainThread.start("docker") { [weak self] in
            while true {
                let peer = accept(fd, nil, nil)
                guard peer >= 0, let self else { break }
                guard self.register(peer) else {
                    close(peer)
                    continue
                }
                PlainThread.start("docker-peer") { [weak self] in
                    while let request = FakeDockerRequest(reading: peer), let self, self.answer(request, on: peer) {}
                    self?.forget(peer)
                    close(peer)
                }
            }
            close(fd)
        }
    }

    deinit { stop() }

    // MARK: what happens

    public func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            state.isStopped = true
            shutdown(listener, Int32(SHUT_RDWR))
            for fd in state.open { shutdown(fd, Int32(SHUT_RDWR)) }
        }
    }

    /// The engine is restarted: connections break, new ones are refused until it is back.
    public func setAway(_ isAway: Bool) {
        state.withLock { state in
            state.isAway = isAway
            if isAway { for fd in state.open { shutdown(fd, Int32(SHUT_RDWR)) } }
        }
    }

    public func setManager(_ isManager: Bool) { state.withLock { $0.isManager = isManager } }
    public func setPieces(ofBytes count: Int) { state.withLock { $0.pieceBytes = count } }

    /// Paths that were asked for.
    public var asked: [String] { state.withLock { $0.asked } }

    public func run(_ subject: Subject) {
        state.withLock { $0.lives[subject.id] = Life(subject: subject) }
        tell(subject.id, subject.isService ? "create" : "start")
    }

    public func start(_ id: String) {
        state.withLock { state in
            state.lives[id]?.isRunning = true
            state.lives[id]?.started = .now()
        }
        tell(id, "start")
    }

    public func end(_ id: String) {
        state.withLock { $0.lives[id]?.isRunning = false }
        tell(id, "die")
    }

    public func remove(_ id: String) {
        state.withLock { $0.lives[id]?.isRunning = false }
        tell(id, "destroy")
        state.withLock { $0.lives[id] = nil }
    }

    /// The program in the container writes `text`, line by line.
    public func write(
        _ text: String, to id: String, errors: Bool = false, task: String = "t1", at time: Timestamp? = nil
    ) {
        state.withLock { state in
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                let newest = state.lives[id]?.entries.map(\.time).max()
                let time = time ?? newest.map { max($0 + .nanosecond, .now()) } ?? .now()
                var rest = Array((line + "\n").utf8)[...]
                while !rest.isEmpty {
                    let piece = rest.prefix(Self.entryBytes)
                    rest = rest.dropFirst(piece.count)
                    state.lives[id]?.entries.append(
                        Entry(time: time, stream: errors ? 2 : 1, task: task, text: Array(piece)))
                }
            }
        }
    }

    /// The log is rotated just after its last `count` lines went to the new file: whoever follows is told them again.
    public func rotate(_ id: String, holding count: Int) {
        state.withLock { state in
            let last = state.lives[id]?.entries.filter { !$0.isRepeat }.suffix(count) ?? []
            for var entry in last {
                entry.isRepeat = true
                state.lives[id]?.entries.append(entry)
            }
        }
    }

    private func tell(_ id: String, _ action: String) {
        state.withLock { state in
            let type = state.lives[id]?.subject.isService == true ? "service" : "container"
            state.events.append(Event(time: .now(), type: type, action: action, id: id))
        }
    }

    private func register(_ fd: Int32) -> Bool {
        state.withLock { state in
            guard !state.isAway, !state.isStopped else { return false }
            state.open.insert(fd)
            return true
        }
    }

    private func forget(_ fd: Int32) { state.withLock { _ = $0.open.remove(fd) } }

    // MARK: answers

    /// False when the connection is over.
    private func answer(_ request: FakeDockerRequest, on fd: Int32) -> Bool {
        state.withLock { $0.asked.append(request.path) }
        var path = request.path
        if path.hasPrefix("/v\(Self.version)/") {
            path = String(path.dropFirst(Self.version.utf8.count + 2))
        } else if path != "/version" {
            return reply(
                400, #"{"message":"client version is too new. Maximum supported API version is 1.43"}"#, on: fd)
        }
        let parts = path.split(separator: "/").map(String.init)
        let lives = state.withLock { $0.lives }
        switch (parts.first, parts.count) {
        case ("version", 1):
            return reply(200, #"{"ApiVersion":"\#(Self.version)","MinAPIVersion":"1.12","Version":"24.0.7"}"#, on: fd)
        case ("info", 1):
            let isManager = state.withLock { $0.isManager }
            return reply(200, #"{"Swarm":{"ControlAvailable":\#(isManager)}}"#, on: fd)
        case ("events", 1): return streamEvents(request, on: fd)
        case ("containers", 2) where parts[1] == "json":
            let all = lives.values.filter { !$0.subject.isService && ($0.isRunning || request.query["all"] == "1") }
            return reply(200, "[" + all.map(\.listed).joined(separator: ",") + "]", on: fd)
        case ("services", 1):
            let all = lives.values.filter(\.subject.isService)
            return reply(200, "[" + all.map(\.service).joined(separator: ",") + "]", on: fd)
        case ("containers", 3), ("services", 2), ("services", 3):
            guard let life = lives[parts[1]], life.subject.isService == (parts[0] == "services") else {
                return reply(404, #"{"message":"No such \#(parts[0].dropLast()): \#(parts[1])"}"#, on: fd)
            }
            if parts.last == "logs" { return streamLog(life.subject, request, on: fd) }
            return reply(200, life.subject.isService ? life.service : life.inspected, on: fd)
        default: return reply(404, #"{"message":"page not found"}"#, on: fd)
        }
    }

    private func reply(_ status: Int, _ json: String, on fd: Int32) -> Bool {
        let head =
            "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n\r\n"
        return send(Array((head + json).utf8), on: fd)
    }

    private func beginStream(_ type: String, on fd: Int32) -> Bool {
        send(Array("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nTransfer-Encoding: chunked\r\n\r\n".utf8), on: fd)
    }

    private func sendChunk(_ bytes: [UInt8], on fd: Int32) -> Bool {
        let size = state.withLock { $0.pieceBytes }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(piece.count)
            let frame = Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + Array("\r\n".utf8)
            guard send(frame, on: fd) else { return false }
        }
        return true
    }

    private func streamEvents(_ request: FakeDockerRequest, on fd: Int32) -> Bool {
        guard beginStream("application/json", on: fd) else { return false }
        let since = request.time("since") ?? .now()
        var told = 0
        while !state.withLock({ $0.isStopped || !$0.open.contains(fd) }) {
            let events = state.withLock { $0.events }
            for event in events[told...] where event.time >= since {
                guard sendChunk(Array((event.json + "\n").utf8), on: fd) else { return false }
            }
            told = events.count
            guard !isClosed(fd) else { return false }
            usleep(5_000)
        }
        return false
    }

    private func streamLog(_ subject: Subject, _ request: FakeDockerRequest, on fd: Int32) -> Bool {
        let follows = request.query["follow"] == "1"
        let type = subject.isTTY ? "application/vnd.docker.raw-stream" : "application/vnd.docker.multiplexed-stream"
        guard beginStream(type, on: fd) else { return false }
        let since = request.time("since") ?? Timestamp(nanoseconds: 0)
        let until = request.time("until")
        var told = 0
        let known = state.withLock { $0.lives[subject.id]?.entries.count ?? 0 }
        while true {
            // In this order: what is written before the end is told.
            let isOver = state.withLock { !follows || $0.isStopped || $0.lives[subject.id]?.isRunning != true }
            let entries = state.withLock { $0.lives[subject.id]?.entries ?? [] }
            var bytes: [UInt8] = []
            for (index, entry) in entries.enumerated().dropFirst(told)
            where entry.time >= since && until.map({ entry.time <= $0 }) ?? true {
                if entry.isRepeat && index < known { continue }
                guard request.query[entry.stream == 2 ? "stderr" : "stdout"] == "1" else { continue }
                bytes += entry.bytes(request, subject)
            }
            told = max(told, entries.count)
            guard sendChunk(bytes, on: fd) else { return false }
            if isOver { return send(Array("0\r\n\r\n".utf8), on: fd) }
            guard !isClosed(fd) else { return false }
            usleep(5_000)
        }
    }

    private func isClosed(_ fd: Int32) -> Bool {
        var waiting = pollfd(fd: fd, events: Int16(POLLIN), revents: 0)
        return poll(&waiting, 1, 0) > 0
    }

    private func send(_ bytes: [UInt8], on fd: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(fd, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }
}

extension GoDuration {
    fileprivate static let nanosecond = GoDuration(nanoseconds: 1)
}

extension Timestamp {
    /// Nine digits behind the point, always.
    var fixedNano: String {
        let fraction = String(nanosecond)
        let whole = Timestamp(seconds: seconds).rfc3339.prefix(19)
        return "\(whole).\(String(repeating: "0", count: 9 - fraction.utf8.count))\(fraction)Z"
    }
}

extension FakeDockerEngine.Entry {
    func bytes(_ request: FakeDockerRequest, _ subject: FakeDockerEngine.Subject) -> [UInt8] {
        var payload: [UInt8] = []
        if request.query["timestamps"] == "1" { payload += Array("\(time.fixedNano) ".utf8) }
        if request.query["details"] == "1" {
            let key = "com.docker.swarm"
            let details =
                subject.isService ? "\(key).node.id=n,\(key).service.id=\(subject.id),\(key).task.id=\(task)" : ""
            payload += Array("\(details) ".utf8)
        }
        payload += text
        guard !subject.isTTY else { return payload }
        let length = withUnsafeBytes(of: UInt32(payload.count).bigEndian, Array.init)
        return [stream, 0, 0, 0] + length + payload
    }
}

extension FakeDockerEngine.Event {
    var json: String {
        """
        {"status":"\(action)","id":"\(id)","Type":"\(type)","Action":"\(action)","Actor":{"ID":"\(id)","Attributes":{}},\
        "scope":"local","time":\(time.seconds),"timeNano":\(time.nanoseconds)}
        """
    }
}

extension FakeDockerEngine.Life {
    private var labelled: String {
        "{" + subject.labels.map { #""\#($0.key)":"\#($0.value)""# }.joined(separator: ",") + "}"
    }

    var listed: String {
        """
        {"Id":"\(subject.id)","Names":["/\(subject.name)"],"Image":"\(subject.image)","Labels":\(labelled),\
        "State":"\(isRunning ? "running" : "exited")"}
        """
    }

    var inspected: String {
        """
        {"Id":"\(subject.id)","Name":"/\(subject.name)","Created":"\(created.fixedNano)",\
        "State":{"Running":\(isRunning),"StartedAt":"\(started.fixedNano)"},\
        "Config":{"Tty":\(subject.isTTY),"Labels":\(labelled)}}
        """
    }

    var service: String {
        """
        {"ID":"\(subject.id)","CreatedAt":"\(created.fixedNano)","Spec":{"Name":"\(subject.name)","Labels":\(labelled),\
        "TaskTemplate":{"ContainerSpec":{"Image":"\(subject.image)","TTY":\(subject.isTTY)}}}}
        """
    }
}

/// A request without a body.
struct FakeDockerRequest {
    var path: String
    var query: [String: String] = [:]

    init?(reading fd: Int32) {
        var head: [UInt8] = []
        var byte: UInt8 = 0
        while !head.suffix(4).elementsEqual([13, 10, 13, 10]) {
            guard head.count < 16_384, recv(fd, &byte, 1, 0) == 1 else { return nil }
            head.append(byte)
        }
        let words = String(decoding: head, as: UTF8.self).split(separator: " ", maxSplits: 2)
        guard words.count == 3, words[0] == "GET" else { return nil }
        let sides = words[1].split(separator: "?", maxSplits: 1)
        path = String(sides[0])
        for pair in sides.dropFirst().first?.split(separator: "&") ?? [] {
            let parts = pair.split(separator: "=", maxSplits: 1)
            query[String(parts[0])] = parts.count == 2 ? PercentEncoding.decode(parts[1].utf8) : ""
        }
    }

    /// `1795280645.000000123`
    func time(_ key: String) -> Timestamp? {
        let parts = (query[key] ?? "").split(separator: ".")
        guard let seconds = parts.first.flatMap({ Int64($0) }) else { return nil }
        return Timestamp(seconds: seconds, nanosecond: parts.dropFirst().first.flatMap { Int64($0) } ?? 0)
    }
}
