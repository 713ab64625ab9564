import CrowdTestSupport
import Glibc

/// Writes numbered lines and rotates its file in every way that keeps what was written: by renaming, by copying and
/// emptying, by a second name, by a link that leads elsewhere, twice in a row, with a line cut in two by a pause. Files
/// are removed once all of their lines are known to have been read, so that their inodes are used again.
struct RotatingWriter {
    private let path: String
    private var random: SeededRandom
    private var descriptor: Int32
    private var rotated = 0
    /// Names that may go once so many lines were read, oldest first.
    private var old: [(name: String, lines: Int)] = []
    private let readLines: (() -> Int)?
    private var number = 0

    /// - Parameter readLines: how many lines, counted from the first, have been read; nil never removes a file.
    init(_ path: String, seed: UInt64, readLines: (() -> Int)? = nil) {
        self.path = path
        self.readLines = readLines
        random = SeededRandom(seed)
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    }

    mutating func write(_ count: Int) throws {
        while number < count {
            let burst = min(Int.random(in: 1...1_500, using: &random), count - number)
            put((number..<(number + burst)).map { "line \($0)\n" }.joined())
            number += burst
            switch Int.random(in: 0..<12, using: &random) {
            case 0: renameAndMake()
            case 1:
                renameAndMake()
                renameAndMake()
            case 2: copyAndEmpty()
            case 3: usleep(UInt32.random(in: 0..<20_000, using: &random))
            case 4: linkAndMake()
            case 5: replaceByAnother()
            case 6: leadElsewhere()
            default: break
            }
            removeOld()
        }
        close(descriptor)
    }

    private mutating func put(_ text: String) {
        let bytes = Array(text.utf8)
        let middle = Int.random(in: 0...bytes.count, using: &random)
        for part in [bytes[..<middle], bytes[middle...]] {
            _ = part.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        }
    }

    private mutating func rotatedName() -> String {
        rotated += 1
        old.append(("\(path).\(rotated)", number))
        return "\(path).\(rotated)"
    }

    private mutating func removeOld() {
        guard let readLines, let eldest = old.first, old.count > 4, readLines() >= eldest.lines else { return }
        var buffer = [CChar](repeating: 0, count: 4_096)
        let count = readlink(eldest.name, &buffer, buffer.count)
        if count > 0 { unlink(String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)) }
        unlink(eldest.name)
        old.removeFirst()
    }

    /// The file gets a second name before it loses the first.
    private mutating func linkAndMake() {
        link(path, rotatedName())
        unlink(path)
        close(descriptor)
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    }

    /// There is a file under the name at every moment.
    private mutating func replaceByAnother() {
        link(path, rotatedName())
        close(descriptor)
        descriptor = open(path + "-next", O_WRONLY | O_APPEND | O_CREAT, 0o600)
        rename(path + "-next", path)
    }

    /// The name becomes a link to a file that is called otherwise.
    private mutating func leadElsewhere() {
        rename(path, rotatedName())
        close(descriptor)
        let other = "\(path)-elsewhere\(rotated)"
        descriptor = open(other, O_WRONLY | O_APPEND | O_CREAT, 0o600)
        symlink(other, path)
    }

    private mutating func renameAndMake() {
        rename(path, rotatedName())
        close(descriptor)
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
        put("")
    }

    private mutating func copyAndEmpty() {
        let copy = open(rotatedName(), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let source = open(path, O_RDONLY)
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(source, &buffer, buffer.count)
            guard count > 0 else { break }
            _ = Glibc.write(copy, buffer, count)
        }
        close(source)
        close(copy)
        ftruncate(descriptor, 0)
    }
}
