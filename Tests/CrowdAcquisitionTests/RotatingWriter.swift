import CrowdTestSupport
import Glibc

/// Writes numbered lines and rotates its file in every way that keeps what was written: by renaming, by copying and
/// emptying, twice in a row, with a line cut in two by a pause.
struct RotatingWriter {
    private let path: String
    private var random: SeededRandom
    private var descriptor: Int32
    private var rotated = 0

    init(_ path: String, seed: UInt64) {
        self.path = path
        random = SeededRandom(seed)
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
    }

    mutating func write(_ count: Int) throws {
        var number = 0
        while number < count {
            let burst = min(Int.random(in: 1...1_500, using: &random), count - number)
            put((number..<(number + burst)).map { "line \($0)\n" }.joined())
            number += burst
            switch Int.random(in: 0..<8, using: &random) {
            case 0: renameAndMake()
            case 1:
                renameAndMake()
                renameAndMake()
            case 2: copyAndEmpty()
            case 3: usleep(UInt32.random(in: 0..<20_000, using: &random))
            default: break
            }
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

    private mutating func renameAndMake() {
        rotated += 1
        rename(path, "\(path).\(rotated)")
        close(descriptor)
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600)
        put("")
    }

    private mutating func copyAndEmpty() {
        rotated += 1
        let copy = open("\(path).\(rotated)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
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
