internal import Glibc

/// Pages of the program and its libraries that only the start needed.
///
/// The kernel maps 64 kB of a file around every page that is touched, so that a start which touches a little of everything
/// leaves a process with most of all its libraries in its resident memory. Given back, they stay in the system's page cache,
/// unused, the first to go when memory gets short; the process gets back what it goes on using.
public enum StartPages {
    /// Lets go of them: some milliseconds, and a minor fault for each group of pages that is used again.
    ///
    /// - Returns: how many bytes of address space were let go.
    @discardableResult
    public static func giveBack() -> Int {
        guard let smaps = try? FileContents.read("/proc/self/smaps") else { return 0 }
        return untouched(smaps).reduce(0) { sum, range in
            guard let start = UnsafeMutableRawPointer(bitPattern: range.lowerBound) else { return sum }
            return madvise(start, range.count, MADV_DONTNEED) == 0 ? sum + range.count : sum
        }
    }

    /// Mappings of files that cannot be written to and of which no page is the process's own: all that is in them can be
    /// read from the file again.
    static func untouched(_ smaps: [UInt8]) -> [Range<UInt>] {
        var found: [Range<UInt>] = []
        var candidate: Range<UInt>?
        for line in smaps.split(separator: UInt8(ascii: "\n")) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ")
            if words.count >= 5, words[1].utf8.count == 4, let range = range(words[0]) {
                candidate = words[1].hasPrefix("r-") && words[1].hasSuffix("p") && words[4] != "0" ? range : nil
            } else if words.first == "Anonymous:", let range = candidate {
                if words[1] == "0" { found.append(range) }
                candidate = nil
            }
        }
        return found
    }

    private static func range(_ text: Substring) -> Range<UInt>? {
        let ends = text.split(separator: "-").compactMap { UInt($0, radix: 16) }
        return ends.count == 2 && ends[0] < ends[1] ? ends[0]..<ends[1] : nil
    }
}
