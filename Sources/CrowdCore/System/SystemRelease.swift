/// The distribution, as `/etc/os-release` names it.
public struct SystemRelease: Equatable, Sendable {
    public var name = "linux"
    public var version = "unknown"

    public static func current() -> SystemRelease {
        SystemRelease((try? FileContents.read("/etc/os-release", limit: 65536)) ?? [])
    }

    public init(_ bytes: [UInt8]) {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = String(parts[1].filter { $0 != "\"" && $0 != "'" }.prefix(200))
            if parts[0] == "ID" { name = value }
            if parts[0] == "VERSION_ID" { version = value }
        }
    }

    /// The member `os` of a usage report; agents tell no family.
    public func write(to writer: inout JSONWriter, withFamily: Bool = true) {
        writer.key("os")
        writer.beginObject()
        if withFamily { writer.member("family", "linux") }
        writer.member("name", name)
        writer.member("version", version)
        writer.endObject()
    }
}
