import CSQLite
import CrowdCore
import Synchronization

/// Lets others run while a transaction of thousands of rows is made and written (`LongWork`).
///
/// Making it is one statement of SQLite's machine after the other, of whose steps SQLite tells. Writing it, and
/// copying the write-ahead log back at times, is a system call per page within one step: those calls are counted.
enum WriterPauses {
    /// Steps of SQLite's machine between two pauses: those of some rows with their indexes.
    private static let steps: Int32 = 400
    /// Pages written between two pauses.
    private static let pages = 32

    /// How many there were while statements ran and while pages were written, in the whole process.
    static let whileMaking = Atomic<Int>(0)
    static let whileWriting = Atomic<Int>(0)

    /// - Parameter handle: of the connection that writes.
    static func begin(for handle: OpaquePointer) {
        sqlite3_progress_handler(handle, steps, stepsWereTaken, nil)
        _ = isCounting
    }

    fileprivate static func pause(_ count: borrowing Atomic<Int>) {
        count.wrappingAdd(1, ordering: .relaxed)
        LongWork.pause()
    }

    private typealias Write = @convention(c) (Int32, UnsafeRawPointer?, Int, Int64) -> Int

    /// What SQLite's `unix` file system writes with, and its name there.
    private static let systemCall: (name: String, write: Write)? = {
        guard let vfs = sqlite3_vfs_find("unix"), let get = vfs.pointee.xGetSystemCall else { return nil }
        for name in ["pwrite64", "pwrite"] {
            if let found = get(vfs, name) { return (name, unsafeBitCast(found, to: Write.self)) }
        }
        return nil
    }()

    private static let written = Atomic<Int>(0)

    /// Whether SQLite's writes go through the counter; made so at first use, for all connections of the process.
    private static let isCounting: Bool = {
        guard let name = systemCall?.name, let vfs = sqlite3_vfs_find("unix"), let set = vfs.pointee.xSetSystemCall
        else { return false }
        let counted: Write = writeCounted
        return set(vfs, name, unsafeBitCast(counted, to: sqlite3_syscall_ptr.self)) == SQLITE_OK
    }()

    fileprivate static func write(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ offset: Int64) -> Int {
        if written.wrappingAdd(1, ordering: .relaxed).newValue % pages == 0 { pause(whileWriting) }
        return systemCall?.write(file, bytes, count, offset) ?? -1
    }
}

// What C calls.

private func stepsWereTaken(_: UnsafeMutableRawPointer?) -> Int32 {
    WriterPauses.pause(WriterPauses.whileMaking)
    return 0
}

private func writeCounted(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ offset: Int64) -> Int {
    WriterPauses.write(file, bytes, count, offset)
}
