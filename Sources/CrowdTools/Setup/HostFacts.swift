import CrowdCore
import Glibc

/// What `setup` can ask of a host (surface facts G.4). Everything is asked at most once.
final class HostFacts {
    /// `Host`: facts of the operating system.
    lazy var host: [String: String] = Self.readHost()
    /// False makes every question about units a no.
    private let asksSystemd: Bool
    private lazy var units: Set<String> = asksSystemd ? Self.readUnits() : []
    private var unitProperties: [String: [String: String]] = [:]
    private lazy var processes: Set<String> = Self.readProcesses()

    init(asksSystemd: Bool) { self.asksSystemd = asksSystemd }

    // MARK: systemd

    func isInstalled(_ unit: String) -> Bool { units.contains(unit) }

    /// A property of a unit, empty where there is none.
    func property(_ key: String, of unit: String) -> String {
        guard asksSystemd, isInstalled(unit) else { return "" }
        if let known = unitProperties[unit] { return known[key] ?? "" }
        let text = ChildProcess.output(["systemctl", "show", unit, "--all", "--no-pager"]) ?? ""
        let pairs = text.split(separator: "\n").compactMap { line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return parts.count == 2 ? (String(parts[0]), String(parts[1])) : nil
        }
        let properties = Dictionary(pairs) { first, _ in first }
        unitProperties[unit] = properties
        return properties[key] ?? ""
    }

    func logsToJournal(_ unit: String) -> Bool {
        ["StandardOutput", "StandardError"].contains {
            ["journal", "journal+console"].contains(property($0, of: unit))
        }
    }

    private static func readUnits() -> Set<String> {
        let text = ChildProcess.output(["systemctl", "list-unit-files", "--type=service"]) ?? ""
        return Set(
            text.split(separator: "\n").compactMap { line in
                line.split(separator: " ").first.map(String.init)
            }.filter { $0.hasSuffix(".service") })
    }

    // MARK: processes and files

    func isRunning(_ name: String) -> Bool { processes.contains(name) }

    private static func readProcesses() -> Set<String> {
        Set(
            FileContents.entries("/proc").filter { $0.allSatisfy(\.isNumber) }.compactMap { pid in
                guard let bytes = try? FileContents.read("/proc/\(pid)/comm", limit: 4096) else { return nil }
                return String(decoding: bytes.prefix { $0 != 10 }, as: UTF8.self)
            })
    }

    static func glob(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard Glibc.glob(pattern, 0, nil, &result) == 0, let paths = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
    }

    // MARK: operating system

    private static func readHost() -> [String: String] {
        var names = utsname()
        uname(&names)
        let release = readRelease()
        let id = release["ID"] ?? "linux"
        let like = release["ID_LIKE"]?.split(separator: " ").map(String.init) ?? []
        let families = [
            "debian": "debian", "ubuntu": "debian", "fedora": "fedora", "rhel": "rhel", "centos": "rhel",
            "suse": "suse",
            "opensuse": "suse", "arch": "arch", "alpine": "alpine",
        ]
        let family = ([id] + like).lazy.compactMap { families[$0] }.first ?? ""
        return [
            "OS": "linux", "Platform": id, "PlatformFamily": family,
            "PlatformVersion": release["VERSION_ID"] ?? "", "KernelVersion": text(names.release),
            "KernelArch": text(names.machine), "Hostname": text(names.nodename), "VirtualizationSystem": "",
        ]
    }

    private static func text(_ field: some Any) -> String {
        withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func readRelease() -> [String: String] {
        let bytes = (try? FileContents.read("/etc/os-release")) ?? []
        let pairs = String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap {
            line -> (String, String)? in
            let parts = line.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return (String(parts[0]), parts[1].filter { $0 != "\"" && $0 != "'" })
        }
        return Dictionary(pairs) { first, _ in first }
    }
}
