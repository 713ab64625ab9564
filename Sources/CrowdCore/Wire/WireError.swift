/// Why a request body is not what the Local API's models ask for.
public enum WireError: Error, Equatable, Sendable {
    /// Not JSON, or a value of the wrong kind.
    case malformed(JSONError)
    /// Required members that are missing or `null`, as paths (`0.source.scope`), in the order of the models.
    case missing([String])
}

extension WireError: CustomStringConvertible {
    /// The texts of the reference, which clients show to their users.
    public var description: String {
        switch self {
        case .malformed(let error): error.description
        case .missing(let paths):
            "validation failure list:" + paths.map { "\n\($0) in body is required" }.joined()
        }
    }
}

/// Collects the required members that an object lacks, the first thousand: a body of many empty objects would have
/// hundreds of times its own length to say.
struct MissingMembers {
    private(set) var paths: [String] = []
    var most = 1_000

    var isFull: Bool { paths.count >= most }

    mutating func require(_ isPresent: Bool, _ name: String) {
        if !isPresent && !isFull { paths.append(name) }
    }

    /// Takes over what a nested object lacks, under its own name.
    mutating func adopt(_ nested: MissingMembers, under name: @autoclosure () -> String) {
        guard !nested.paths.isEmpty else { return }
        let prefix = name()
        for path in nested.paths where !isFull { paths.append("\(prefix).\(path)") }
    }
}

/// A model that is read from JSON with its required members checked.
protocol WireModel {
    /// Reads the next value and notes what it lacks; throws on anything that is not this model's form.
    init(from reader: inout JSONReader, missing: inout MissingMembers) throws(JSONError)
}

extension WireModel {
    static func checked(_ reader: inout JSONReader) throws(WireError) -> Self {
        var missing = MissingMembers()
        let model: Self
        do { model = try Self(from: &reader, missing: &missing) } catch { throw .malformed(error) }
        guard missing.paths.isEmpty else { throw .missing(missing.paths) }
        return model
    }

    /// Reads an array of models; each one's missing members are noted under its index. When that is full, the list is of no
    /// more use.
    static func list(_ reader: inout JSONReader, missing: inout MissingMembers, under name: String?)
        throws(JSONError) -> [Self]
    {
        var list: [Self] = []
        try reader.beginArray()
        while try reader.nextElement() {
            var nested = MissingMembers(most: missing.most)
            let index = list.count
            LongWork.pause(after: index)
            let model = try Self(from: &reader, missing: &nested)
            guard !missing.isFull else { continue }
            list.append(model)
            missing.adopt(nested, under: name.map { "\($0).\(index)" } ?? "\(index)")
        }
        return list
    }
}
