import CrowdCore
import Synchronization

/// Reads the engine's events: one JSON object behind the other, cut anywhere.
final class DockerEventSplitter: Sendable {
    typealias Body = @Sendable (_ type: String, _ action: String, _ id: String) -> Void

    /// Longest event that is believed.
    private static let maxBytes = 1 << 20

    private let cutter = Mutex(JSONValueCutter(limit: maxBytes))
    private let body: Body

    init(_ body: @escaping Body) { self.body = body }

    /// False when the stream makes no sense any more.
    func take(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        cutter.withLock { cutter in
            do throws(JSONValueCutter.Refusal) {
                try cutter.feed(ByteSlice(bytes)) { value in
                    guard let json = try? JSON.parse(value.buffer, maxDepth: 512) else { return }
                    let actor = json["Actor"]?["ID"]?.string ?? json["id"]?.string ?? ""
                    body(json["Type"]?.string ?? "", json["Action"]?.string ?? json["status"]?.string ?? "", actor)
                }
                return true
            } catch {
                return false
            }
        }
    }
}
