import HummingbirdCore
import Logging
import NIOCore
import NIOPosix

/// Runs tasks on a connection's own event loop: a request that needs nothing but memory then never changes threads.
///
/// What takes more than moments must not run there (`BackgroundWork`).
final class LoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}

/// Serves a connection on its event loop.
struct LoopBoundChannel<Base: ServerChildChannel>: ServerChildChannel where Base.Value: ServerChildChannelValue {
    let base: Base

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Base.Value> {
        base.setup(channel: channel, logger: logger)
    }

    func handle(value: Base.Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
            await base.handle(value: value, logger: logger)
        }
    }
}

/// Work that takes too long for an event loop: hashes of passwords, large bodies, passes over all decisions.
enum BackgroundWork {
    /// Bytes of a body from which reading it counts as such work: some ten alerts, or a hundred decisions.
    static let bodyBytes = 16 << 10
    /// Compressed bytes from which inflating them does: they may become a thousand times as many.
    static let compressedBytes = 1 << 10

    /// Bytes from which it takes so long that others need a thread left to them: no agent's alerts of a moment have as many.
    static let longBytes = 1 << 20
    private static let longWork = Turnstile(width: max(1, System.coreCount - 1))

    /// Work on a request's body: at once when that is small, unless it is to be done elsewhere `always`.
    static func run<R: Sendable>(
        on body: [UInt8], always: Bool = false, _ work: @escaping @Sendable ([UInt8]) throws -> R
    ) async throws -> R {
        if body.count < bodyBytes && !always { return try work(body) }
        if body.count < longBytes { return try await run { try work(body) } }
        return try await longWork.pass { try await run { try work(body) } }
    }

    static func run<R: Sendable>(_ work: @escaping @Sendable () throws -> R) async throws -> R {
        try await NIOThreadPool.singleton.runIfActive(work)
    }
}
