import Synchronization

/// The name of a field of `evt.Parsed`, `evt.Meta` or `evt.Enriched`, as a small number.
public typealias FieldKey = Int

/// Names of event fields, numbered as they are met while content is loaded.
///
/// All maps of an event share the numbering. Loading is the normal time to add a name; at run time only a computed
/// key (`evt.SetMeta(x, …)`) does, and `limit` bounds what a hostile log could make of that.
public final class KeyTable: Sendable {
    private struct State {
        var ids: [String: FieldKey] = [:]
        var names: [ByteSlice] = []
    }
    private let state = Mutex(State())
    private let limit: Int

    public init(limit: Int = 16_384) { self.limit = limit }

    public var count: Int { state.withLock { $0.names.count } }

    /// The number of `name`, a new one if needed; nil only when the table is full.
    public func intern(_ name: String) -> FieldKey? {
        state.withLock { state in
            if let id = state.ids[name] { return id }
            guard state.names.count < limit else { return nil }
            let id = state.names.count
            state.ids[name] = id
            state.names.append(Immortal.copy(name))
            return id
        }
    }

    public func find(_ name: String) -> FieldKey? { state.withLock { $0.ids[name] } }

    public func name(_ key: FieldKey) -> ByteSlice { state.withLock { $0.names[key] } }

    /// All names, by number.
    public var names: [ByteSlice] { state.withLock { $0.names } }
}
