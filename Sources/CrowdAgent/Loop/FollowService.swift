public import CrowdAcquisition
import CrowdCore
public import CrowdEngine
import Glibc
public import Logging
import Synchronization

/// The sources and the engine's thread, as they run at the moment.
public struct FollowService {
    public let queue = LineQueue()
    private let context: AcquisitionContext
    private let log: Logger
    private var supervisor: SourceSupervisor
    private let state = State()
    private var loop: EngineLoop?

    private final class State: Sendable {
        let sourcesRunning = Atomic(true)
        let summary = Completion<EngineLoop.Summary>()
    }

    public init(_ sources: [any DataSource], _ context: AcquisitionContext, _ log: Logger) {
        self.context = context
        self.log = log
        supervisor = SourceSupervisor(sources, into: queue, log: log)
    }

    /// Every source has ended by itself.
    public var hasEnded: Bool { !state.sourcesRunning.load(ordering: .acquiring) }

    /// Why a source that reads once could not.
    public var failure: (any Error)? { supervisor.failure }

    /// Takes up what an earlier agent left, then starts the engine's thread and the sources.
    public mutating func start(_ loop: EngineLoop) {
        self.loop = loop
        loop.recover()
        let state = state
        PlainThread.start("engine", stackBytes: 8 * 1024 * 1024) { state.summary.set(loop.run()) }
        startSources()
    }

    /// Waits until the sources read.
    public func waitUntilBegun() { supervisor.waitUntilBegun(milliseconds: 5_000) }

    private func startSources() {
        state.sourcesRunning.store(true, ordering: .releasing)
        let state = state
        supervisor.start { state.sourcesRunning.store(false, ordering: .releasing) }
    }

    /// New content, and new sources that go on where the old ones stopped reading.
    public mutating func replace(sources: [any DataSource], content: Content) {
        loop?.replace(content)
        stopSources()
        supervisor = SourceSupervisor(sources, into: queue, log: log)
        startSources()
    }

    private func stopSources() {
        supervisor.stop.set()
        while !hasEnded { usleep(5_000) }
    }

    /// Ends the sources, lets the engine finish what was read, and says what it amounted to.
    @discardableResult public mutating func stop() -> EngineLoop.Summary {
        stopSources()
        queue.close()
        return state.summary.wait()
    }
}
