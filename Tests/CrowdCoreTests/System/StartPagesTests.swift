import Testing

@testable import CrowdCore

@Suite("Pages of the start") struct StartPagesTests {
    private static let text = """
        00400000-00452000 r-xp 00000000 08:02 173521      /usr/bin/x
        Size:                328 kB
        Rss:                 200 kB
        Anonymous:             0 kB
        VmFlags: rd ex mr mw me
        00651000-00652000 r--p 00051000 08:02 173521      /usr/bin/x
        Anonymous:             4 kB
        00652000-00655000 rw-p 00052000 08:02 173521      /usr/bin/x
        Anonymous:             0 kB
        00700000-00703000 r--s 00000000 08:02 99          /var/cache/shared
        Anonymous:             0 kB
        00e03000-00e24000 r--p 00000000 00:00 0           [vvar]
        Anonymous:             0 kB
        7f00000000-7f00001000 r--p 00000000 08:02 4711    /usr/lib/with a space.so
        Rss:                   4 kB
        Anonymous:             0 kB
        7f00001000-7f00002000 ---p 00001000 08:02 4711    /usr/lib/with a space.so
        Anonymous:             0 kB
        garbage-7f r--p 0 0 1 /x
        Anonymous:             0 kB
        """

    /// Nothing that the process wrote to, could write to, or shares.
    @Test func onlyWhatCanBeReadFromItsFileAgain() {
        #expect(StartPages.untouched(Array(Self.text.utf8)) == [0x400000..<0x452000, 0x7f_0000_0000..<0x7f_0000_1000])
    }

    @Test func theProcessGoesOnAfterwards() {
        #expect(StartPages.giveBack() > 1 << 20)
        #expect(StartPages.untouched(Array("".utf8)).isEmpty)
    }
}
