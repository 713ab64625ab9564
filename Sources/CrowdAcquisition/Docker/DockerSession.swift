import CrowdCore
import CrowdEngine
import Logging
import Synchronization

/// One run of a Docker source, from the first question to the engine until it is cancelled.
///
///     events, ends of readers, now and then ──► look: what is there, what is wanted, what is read
///                                                 wanted, not read ──► a reader ──► its end ──► look
///
/// An event only makes it look again: a look compares what the engine has with what is read, so an event that was lost
/// costs a minute at most, and no line.
final class DockerSession: Sendable {
    /// Without a word from the engine.
    private static let lookInterval = Duration.seconds(60)
    private static let retryPause = Duration.seconds(2)
    /// A container's first lines may be a little older than the time at which it is said to have started.
    private static let startSlack = GoDuration.seconds(1)

    private struct State {
        var isRead: Set<String> = []
        /// Told to have started since the last look: their log is read though they may have ended again.
        var started: Set<String> = []
        /// Where those stand that are not read at the moment.
        var cursors: [String: DockerCursors] = [:]
        var complaints: Set<String> = []
    }

    private let config: DockerSourceConfig
    private let context: AcquisitionContext
    private let queue: LineQueue
    private let prefix: String
    private let isReading: @Sendable () -> Void
    private let state = Mutex(State())
    private let news: AsyncStream<Void>
    private let newsInlet: AsyncStream<Void>.Continuation
    private let begun = Timestamp.now()

    /// - Parameter isReading: called once whatever is written from then on will be read.
    init(
        _ config: DockerSourceConfig, _ context: AcquisitionContext, into queue: LineQueue, source: String,
        isReading: @escaping @Sendable () -> Void
    ) {
        self.config = config
        self.context = context
        self.queue = queue
        self.isReading = isReading
        prefix = "\(source)#\(config.fingerprint)/"
        (news, newsInlet) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    // MARK: once

    func readOnce() async throws {
        let engine = try await DockerEngine.connect(config.host)
        var found = 0
        for (target, _) in try await wanted(engine) {
            found += 1
            context.log.info("reading \(target.kind.rawValue) \(target.match.source) at once")
            let reader = DockerReader(
                target, DockerCursors(at: config.since ?? Timestamp(nanoseconds: 0)), cursorName: nil, config,
                context, into: queue)
            try await reader.read(engine, follows: false)
        }
        guard found > 0 else {
            let names = config.containers.names.joined(separator: ", ")
            if config.demandsContainer { throw ConfigError("there is no container \(names)") }
            return context.log.warning("No container or service is selected by this acquisition")
        }
    }

    // MARK: following

    func follow() async throws {
        let engine = try await DockerEngine.connect(config.host)
        restoreCursors()
        defer { saveCursors() }
        await withDiscardingTaskGroup { group in
            group.addTask { await self.watch(engine) }
            group.addTask { await self.lookNowAndThen() }
            newsInlet.yield()
            var isFirst = true
            for await _ in news {
                if Task.isCancelled { break }
                do {
                    for (reader, follows) in try await look(engine, isFirst: isFirst) {
                        group.addTask { await self.keepReading(reader, engine, follows: follows) }
                    }
                    if isFirst { isReading() }
                    isFirst = false
                } catch {
                    complain("Containers cannot be listed, retrying: \(error)")
                    try? await Task.sleep(for: Self.retryPause)
                    newsInlet.yield()
                }
            }
            group.cancelAll()
        }
    }

    private func lookNowAndThen() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.lookInterval)
            newsInlet.yield()
        }
        newsInlet.finish()
    }

    /// Tells of what starts and ends; a lost connection is made again, and nothing told meanwhile is missed.
    private func watch(_ engine: DockerEngine) async {
        var pause = DockerBackoff()
        var since = begun
        while !Task.isCancelled {
            let asked = Timestamp.now()
            do {
                try await engine.watchEvents(since: since) { [self] type, action, id in
                    if type == "container", action == "start" {
                        state.withLock { state in
                            if state.started.count < 10_000 { state.started.insert(id) }
                        }
                    }
                    newsInlet.yield()
                }
                complain("The engine's events have ended, asking for them again")
            } catch {
                if Task.isCancelled { return }
                complain("The engine's events are lost, asking for them again: \(error)")
            }
            // One that held for long was good.
            if Timestamp.now() - asked > .seconds(60) { pause = DockerBackoff() }
            since = asked
            newsInlet.yield()
            try? await Task.sleep(for: pause.next())
        }
    }

    /// Once for each text.
    private func complain(_ text: String) {
        let isNew = state.withLock { $0.complaints.count < 100 && $0.complaints.insert(text).inserted }
        if isNew, !Task.isCancelled { context.log.warning("\(text)") }
    }

    // MARK: what is read

    /// Compares what is there with what is read; the readers that are missing.
    private func look(_ engine: DockerEngine, isFirst: Bool) async throws -> [(DockerReader, follows: Bool)] {
        let started = state.withLock { state in
            defer { state.started = [] }
            return state.started
        }
        let all = try await wanted(engine)
        forgetOthers(than: all.map(\.target))
        var readers: [(DockerReader, follows: Bool)] = []
        for (target, details) in all {
            let name = cursorName(target)
            let (isRead, cursors) = state.withLock { ($0.isRead.contains(name), $0.cursors[name]) }
            if isRead { continue }
            // One that has ended has something new for us only if it was read before, or came and went.
            guard details.isRunning || started.contains(target.id) || (isFirst && cursors != nil) else { continue }
            let reader = DockerReader(
                target, cursors ?? DockerCursors(at: start(of: details, isFirst: isFirst)), cursorName: name, config,
                context, into: queue)
            reader.mark()
            state.withLock { _ = $0.isRead.insert(name) }
            context.log.info("start tail for \(target.kind.rawValue) \(target.match.source)")
            readers.append((reader, details.isRunning))
        }
        return readers
    }

    /// From where on something is read that was not read before.
    private func start(of details: DockerEngine.Details, isFirst: Bool) -> Timestamp {
        let watched = isFirst ? context.cursors.watchedUntil : begun
        if isFirst, let since = config.since { return since }
        guard let watched, let created = details.created, let started = details.started else {
            return isFirst ? begun : Timestamp(nanoseconds: 0)
        }
        if created > watched { return Timestamp(nanoseconds: 0) }
        return started > watched ? started - Self.startSlack : .now()
    }

    /// What the configuration asks for, and is there; services only where this engine manages a swarm.
    private func wanted(_ engine: DockerEngine) async throws -> [(target: DockerReader.Target, DockerEngine.Details)] {
        var found: [(DockerReader.Target, DockerEngine.Details)] = []
        var services: Set<String> = []
        if !config.services.isEmpty, try await engine.isSwarmManager() {
            for candidate in try await engine.services() {
                guard let match = accept(config.services.match(candidate), candidate) else { continue }
                services.insert(candidate.id)
                guard let details = try await engine.serviceDetails(of: candidate.id) else { continue }
                found.append(
                    (.init(kind: .service, id: candidate.id, isTTY: details.isTTY, match: match), details))
            }
        }
        guard !config.containers.isEmpty else { return found }
        for container in try await engine.containers() where !services.contains(container.service ?? "") {
            guard let match = accept(config.containers.match(container.candidate), container.candidate),
                let details = try await engine.details(of: container.candidate.id)
            else { continue }
            found.append(
                (.init(kind: .container, id: container.candidate.id, isTTY: details.isTTY, match: match), details))
        }
        return found
    }

    /// Labels must say the type, wherever they come from.
    private func accept(
        _ match: DockerSelector.Match?, _ candidate: DockerSelector.Candidate
    ) -> DockerSelector.Match? {
        guard let match else { return nil }
        guard match.labels == nil || match.labels?["type"] != nil else {
            complain("\(match.source) is labelled \(DockerSelector.enableLabel), but has no crowdsec.labels.type")
            return nil
        }
        return match
    }

    // MARK: reading

    /// Reads until there is nothing more to come, whatever happens to the connection.
    private func keepReading(_ reader: DockerReader, _ engine: DockerEngine, follows: Bool) async {
        var follows = follows
        var pause = DockerBackoff()
        while !Task.isCancelled {
            let asked = Timestamp.now()
            do {
                try await reader.read(engine, follows: follows)
                // It has ended: whether for good only the engine knows.
                guard follows, let details = try await details(of: reader.target, engine), details.isRunning else {
                    break
                }
            } catch let error as DockerEngine.Failure where error.status == 404 {
                reader.forget()
                break
            } catch {
                if Task.isCancelled { break }
                complain("\(reader.target.match.source) is read again from where it was: \(error)")
            }
            follows = true
            if Timestamp.now() - asked > .seconds(60) { pause = DockerBackoff() }
            try? await Task.sleep(for: pause.next())
        }
        state.withLock { state in
            let name = cursorName(reader.target)
            state.isRead.remove(name)
            state.cursors[name] = reader.cursors
        }
        newsInlet.yield()
    }

    private func details(of target: DockerReader.Target, _ engine: DockerEngine) async throws -> DockerEngine.Details? {
        switch target.kind {
        case .container: try await engine.details(of: target.id)
        case .service: try await engine.serviceDetails(of: target.id)
        }
    }

    // MARK: cursors

    private func cursorName(_ target: DockerReader.Target) -> String { prefix + "\(target.kind.rawValue)/\(target.id)" }

    private func restoreCursors() {
        for (name, text) in context.cursors.all(beginning: prefix) {
            guard let cursors = DockerCursors(text) else { continue }
            state.withLock { $0.cursors[name] = cursors }
        }
    }

    /// For a source that goes on later in this process.
    private func saveCursors() {
        for (name, cursors) in state.withLock({ $0.cursors }) { context.cursors.save(cursors.text, of: name) }
        context.cursors.watched(until: Timestamp.now())
    }

    /// Places of containers that are gone are not kept for ever. Services are not seen while this is no manager.
    private func forgetOthers(than present: [DockerReader.Target]) {
        let names = Set(present.map { cursorName($0) })
        let seesServices = present.contains { $0.kind == .service }
        let servicePrefix = prefix + DockerReader.Target.Kind.service.rawValue
        let gone = state.withLock { state in
            let gone = state.cursors.keys.filter { name in
                !names.contains(name) && !state.isRead.contains(name)
                    && (seesServices || !name.hasPrefix(servicePrefix))
            }
            for name in gone { state.cursors[name] = nil }
            return gone
        }
        let origin = LineOrigin(source: "docker", module: "docker", labels: config.common.labels, isReplay: false)
        for name in gone {
            context.cursors.forget(name)
            let marker = LineBatch(origin, capacity: 0)
            marker.place = .cursor(source: name, "")
            _ = queue.put(marker)
        }
    }
}

/// At once, then 2 s × 2.5 up to two minutes, each half as long to half as long again.
struct DockerBackoff {
    private var seconds = 0.0

    mutating func next() -> Duration {
        let pause = seconds * Double.random(in: 0.5...1.5)
        seconds = seconds == 0 ? 2 : min(seconds * 2.5, 120)
        return .milliseconds(Int64(pause * 1_000))
    }
}
