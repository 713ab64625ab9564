import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdHub

@Suite("Archives and bundles") struct BundleTests {
    static let long = "parsers/s01-parse/" + String(repeating: "a", count: 60) + "/" + String(repeating: "b", count: 60)

    @Test func tarRoundTrip() throws {
        var writer = TarWriter()
        let files: [String: [UInt8]] = ["a": [], "b/c.yaml": [1, 2, 3], Self.long: [UInt8](repeating: 7, count: 1500)]
        for (path, bytes) in files { try writer.add(path, bytes) }
        let read = try TarArchive(writer.finished(), name: "x").files.mapValues { Array($0) }
        #expect(read == files)
        let gzipped = try TarArchive(#require(Gzip.compress(writer.finished())), name: "x").files
        #expect(gzipped.count == 3)
    }

    @Test func readsWhatTarWrites() throws {
        let directory = try TemporaryDirectory()
        try directory.write("hub-main/.index.json", "{}")
        try directory.write("hub-main/\(Self.long)/\(String(repeating: "c", count: 80)).yaml", "deep")
        for format in ["gnu", "pax"] {
            let archive = "\(directory.path)/\(format).tar.gz"
            try Command.must("tar -C \(directory.path) --format=\(format) -czf \(archive) hub-main")
            let hub = try ArchiveHub(archive)
            #expect(
                hub.files.count == 2 && hub.files.keys.contains { $0.hasSuffix("c.yaml") && $0.hasPrefix("parsers") })
        }
    }

    @Test func everyCutArchiveIsRefusedOrWhole() throws {
        var writer = TarWriter()
        try writer.add("a", [UInt8](repeating: 1, count: 700))
        try writer.add("b", [2])
        let bytes = writer.finished()
        for length in stride(from: 0, to: bytes.count, by: 64) {
            guard let files = try? TarArchive(Array(bytes[..<length]), name: "x").files else { continue }
            #expect(files["a"].map { $0.count == 700 } ?? true)
        }
    }

    enum Damage: CaseIterable {
        case none, content, manifest, signature, extra, missing, otherKey
    }

    @Test(arguments: Damage.allCases) func onlyAGenuineBundleIsOpened(_ damage: Damage) throws {
        let key = try #require(SigningKey(seed: [UInt8](repeating: 9, count: 32)))
        let packed = try HubBundle.pack([".index.json": Array("{}".utf8), "a/b": [1, 2, 3]], key)
        var files = try TarArchive(packed, name: "x").files.mapValues { Array($0) }
        switch damage {
        case .none, .otherKey: break
        case .content: files["a/b"] = [1, 2, 4]
        case .manifest: files["MANIFEST"]?[3] ^= 1
        case .signature: files["MANIFEST.sig"]?[5] ^= 1
        case .extra: files["c"] = [1]
        case .missing: files["a/b"] = nil
        }
        var writer = TarWriter()
        for (path, bytes) in files { try writer.add(path, bytes) }
        let directory = try TemporaryDirectory()
        let path = try directory.write("bundle", writer.finished())
        var publicKey = try #require(key.publicKey)
        if damage == .otherKey { publicKey[0] ^= 1 }
        let opened = try? HubBundle.open(path, key: publicKey)
        #expect((opened != nil) == (damage == .none))
    }

    @Test(arguments: [
        ("https://hub-data.crowdsec.net/web/x.txt", "data/hub-data.crowdsec.net/web/x.txt"),
        ("http://a/b?c=d", "data/a/b"), ("https://a/../b", nil), ("ftp://a/b", nil), ("https://", nil),
    ])
    func dataPaths(_ url: String, _ path: String?) { #expect(FolderHub.dataPath(url) == path) }

    @Test func signaturesAreRFC8032() throws {
        // Section 7.1, test 1: the empty message.
        let key = try #require(
            SigningKey(
                seed: bytes("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")))
        #expect(
            key.publicKey.map(Hex.encode) == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        let signature = try #require(key.sign([]))
        #expect(Hex.encode(signature).hasPrefix("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"))
        #expect(SigningKey.isGenuine(signature, of: [], by: try #require(key.publicKey)))
        #expect(!SigningKey.isGenuine(signature, of: [1], by: try #require(key.publicKey)))
    }

    private func bytes(_ hex: String) -> [UInt8] {
        let digits = Array(hex)
        return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
    }
}
