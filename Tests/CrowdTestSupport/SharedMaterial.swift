import Glibc

/// The reference material beside the checkout: large inputs that are not part of it.
public enum SharedMaterial {
    /// The folder, from `CROWD_SHARED` or beside the package; nil (with a line that says so) when it is not there.
    public static func path(_ part: String) -> String? {
        let root = getenv("CROWD_SHARED").map { String(cString: $0) } ?? packageRoot + "/../shared"
        let path = root + "/" + part
        guard access(path, R_OK) == 0 else {
            print("skipped: \(path) is not there (set CROWD_SHARED to the reference material)")
            return nil
        }
        return path
    }

    /// The checkout's root folder.
    public static let packageRoot: String = {
        let parts = #filePath.split(separator: "/").dropLast(3)
        return "/" + parts.joined(separator: "/")
    }()

    /// The bytes of a file, nil when it cannot be read.
    public static func read(_ path: String) -> [UInt8]? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&chunk, 1, chunk.count, file)
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
        }
    }
}
