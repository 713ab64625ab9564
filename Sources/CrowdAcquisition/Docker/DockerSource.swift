import CrowdCore
import CrowdEngine
import Logging
import Synchronization

/// Reads what containers and swarm services write, through the Docker Engine's API.
final class DockerSource: DataSource {
    private let config: DockerSourceConfig
    private let context: AcquisitionContext
    private let begun = Atomic(false)

    init(_ config: DockerSourceConfig, _ context: AcquisitionContext) {
        self.config = config
        self.context = context
    }

    var name: String { "docker:\(config.host)" }
    var module: String { "docker" }
    var isFinite: Bool { config.common.mode == .cat }
    var hasBegun: Bool { begun.load(ordering: .acquiring) }

    func run(into queue: LineQueue, until stop: StopFlag) throws {
        defer { begun.store(true, ordering: .releasing) }
        let session = DockerSession(config, context, into: queue, source: name) { [self] in
            begun.store(true, ordering: .releasing)
        }
        do {
            let isCancelled = { stop.isSet }
            try ThreadExecutor.run(cancelledBy: isCancelled) { [self] in
                if isFinite { try await session.readOnce() } else { try await session.follow() }
            }
        } catch {
            if !stop.isSet { throw error }
        }
    }
}
