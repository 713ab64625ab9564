import CrowdCore
import CrowdLAPI
import Synchronization

/// Alerts of the Local API, one after the other as they arrive.
enum AlertStream {
    /// - Parameter take: called for each alert, with its JSON if the output is that.
    /// - Returns: what `state` has become.
    static func read<State: Sendable>(
        _ path: String, _ call: Invocation, _ state: sending State,
        _ take: @escaping @Sendable (Alert, JSON?, inout State) -> Void
    ) async throws -> State {
        let wantsJSON = call.output == .json
        let box = Mutex<(state: State, fault: (any Error)?)>((state, nil))
        try await call.client().list(path) { bytes in
            box.withLock { box in
                do {
                    let json = wantsJSON ? try JSON.parse(bytes).array?.first : nil
                    for alert in try Alert.list(from: bytes, strict: false) { take(alert, json, &box.state) }
                    return true
                } catch {
                    box.fault = error
                    return false
                }
            }
        }
        return try box.withLock { box in
            if let fault = box.fault { throw fault }
            return box.state
        }
    }
}
