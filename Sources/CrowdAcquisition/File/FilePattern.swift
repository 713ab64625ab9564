import Glibc

/// Files that match a shell pattern.
enum FilePattern {
    /// Existing files, not directories, in order of their names.
    static func matches(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard Glibc.glob(pattern, 0, nil, &result) == 0, let paths = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { index in
            guard let path = paths[index].map({ String(cString: $0) }) else { return nil }
            var info = stat()
            guard stat(path, &info) == 0, info.st_mode & S_IFMT != S_IFDIR else { return nil }
            return path
        }
    }
}
