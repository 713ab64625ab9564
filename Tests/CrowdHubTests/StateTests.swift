import CrowdCore
import CrowdTestSupport
import Glibc
import Testing

@testable import CrowdHub

/// A hub on disk, made of a few items: `collections:a/all` holds `scenarios:a/one` and `collections:a/sub`, which
/// holds `scenarios:a/two`.
final class SmallHub {
    let directory: TemporaryDirectory
    var paths: HubPaths {
        HubPaths(
            hubDirectory: directory.path + "/hub", indexPath: directory.path + "/hub/.index.json",
            configDirectory: directory.path + "/etc", dataDirectory: directory.path + "/data")
    }

    init(_ more: String = "") throws {
        directory = try TemporaryDirectory()
        func item(_ path: String, _ text: String, _ rest: String = "") -> String {
            let digest = Hex.encode(Digest.sha256(Array(text.utf8)))
            let content = Base64.encode(Array(text.utf8))
            return #"{"path":"\#(path)","version":"0.2","content":"\#(content)","versions":{"0.1":{"digest":"00"},"#
                + #""0.2":{"digest":"\#(digest)"}}\#(rest)}"#
        }
        try directory.write(
            "hub/.index.json",
            """
            {"scenarios": {"a/one": \(item("scenarios/a/one.yaml", "name: a/one\n")),
                           "a/two": \(item("scenarios/a/two.yaml", "name: a/two\n"))},
             "collections": {
              "a/all": \(item("collections/a/all.yaml", "x\n", #","scenarios":["a/one"],"collections":["a/sub"]"#)),
              "a/sub": \(item("collections/a/sub.yaml", "y\n", #","scenarios":["a/two"]"#)) \(more)}}
            """)
    }

    func hub() throws -> Hub { try Hub(paths) }

    /// Installs from the contents of the index.
    func install(_ id: ItemID) async throws {
        let hub = try hub()
        var plan = ActionPlan(hub, force: false)
        plan.install(try #require(hub[id]))
        var run = PlanRun(plan, source: FolderHub(directory.path))
        try await run.run()
    }
}

@Suite("Hub states and plans") struct StateTests {
    static let all = ItemID(.collections, "a/all")
    static let one = ItemID(.scenarios, "a/one")
    static let two = ItemID(.scenarios, "a/two")
    static let sub = ItemID(.collections, "a/sub")

    @Test func plansDependenciesFirst() throws {
        let hub = try SmallHub().hub()
        var plan = ActionPlan(hub, force: false)
        plan.install(try #require(hub[Self.all]))
        #expect(
            plan.steps == [
                .download(Self.one), .download(Self.two), .download(Self.sub), .download(Self.all), .enable(Self.one),
                .enable(Self.two), .enable(Self.sub), .enable(Self.all),
            ])
        #expect(
            plan.text(verbose: true).hasPrefix(
                "📥 download scenarios:a/one (0.2)\n📥 download scenarios:a/two (0.2)\n"))
        #expect(
            plan.text(verbose: false) == """
                📥 download
                 scenarios: a/one (0.2), a/two (0.2)
                 collections: a/all (0.2), a/sub (0.2)
                ✅ enable
                 scenarios: a/one, a/two
                 collections: a/all, a/sub

                """)
    }

    @Test func installedItemsAreRelated() async throws {
        let small = try SmallHub()
        try await small.install(Self.all)
        let hub = try small.hub()
        #expect(hub.installed.map(\.status) == [.upToDate, .upToDate, .upToDate, .upToDate])
        #expect(hub[Self.two]?.belongsToCollections == ["a/all", "a/sub"])
        #expect(hub[Self.two]?.localVersion == "0.2")
        let subs = hub.removableDependencies(of: try #require(hub[Self.all])).map(\.id)
        #expect(subs == [Self.one, Self.two, Self.sub])
    }

    @Test func taintSpreadsUpwards() async throws {
        let small = try SmallHub()
        try await small.install(Self.all)
        try small.directory.append("hub/scenarios/a/two.yaml", "# changed\n")
        let hub = try small.hub()
        #expect(hub[Self.two]?.status == .tainted && hub[Self.two]?.localVersion == "?")
        #expect(hub[Self.sub]?.taintedBy == [Self.two])
        #expect(hub[Self.all]?.taintedBy == [Self.sub])
        #expect(hub[Self.one]?.status == .upToDate)
        var plan = ActionPlan(hub, force: false)
        plan.upgrade(try #require(hub[Self.all]))
        #expect(plan.isEmpty)
        #expect(plan.warnings == ["scenarios:a/two is tainted, use '--force' to overwrite"])
        let error = #expect(throws: HubError.self) { try plan.remove(try #require(hub[Self.all]), purge: false) }
        #expect(error?.description == "a/all is tainted, use '--force' to remove")
    }

    @Test func linksToNowhereAndHiddenFoldersAreLeftOut() throws {
        let small = try SmallHub()
        try small.directory.write("etc/scenarios/.hidden/x.yaml", "name: x/y\n")
        symlink("/this/does/not/exist.yaml", small.directory.path + "/etc/scenarios/foo.yaml")
        try small.directory.write("elsewhere/b.yaml", "name: me/b\n")
        symlink(small.directory.path + "/elsewhere/b.yaml", small.directory.path + "/etc/scenarios/b.yaml")
        let hub = try small.hub()
        #expect(hub.installed.map(\.id.name) == ["me/b"])
        let path = small.directory.path + "/etc/scenarios/foo.yaml"
        #expect(hub.warnings == ["link target does not exist: \(path) -> /this/does/not/exist.yaml"])
    }

    @Test func foldersOfTheHubMayBeLinks() async throws {
        let small = try SmallHub()
        let path = small.directory.path
        try small.directory.write("usr/scenarios/a/one.yaml", "name: a/one\n")
        symlink(path + "/usr/scenarios", path + "/hub/scenarios")
        try small.directory.write("etc/scenarios/x", "")
        symlink(path + "/hub/scenarios/a/one.yaml", path + "/etc/scenarios/one.yaml")
        #expect(try small.hub()[Self.one]?.status == .upToDate)
    }

    @Test func aCircleIsRefused() throws {
        let circle = #", "a/c": {"path":"collections/a/c.yaml","version":"1","collections":["a/c"]}"#
        let error = #expect(throws: HubError.self) { try SmallHub(circle).hub() }
        #expect(error == .circularDependency(ItemID(.collections, "a/c")))
    }

    @Test func whatTheIndexDoesNotHaveIsSaid() throws {
        let odd = #", "a/c": {"path":"collections/a/c.yaml","version":"1","parsers":["a/none"]}"#
        let hub = try SmallHub(odd).hub()
        #expect(
            hub.problems == [
                "collections:a/c: no digest for the latest version 1",
                "can't find a/none in parsers, required by a/c",
            ])
    }

    @Test func aLocalItemTakesThePlaceOfTheHubs() async throws {
        let small = try SmallHub()
        try await small.install(Self.one)
        try small.directory.write("etc/scenarios/zz.yaml", "name: a/one\n")
        let hub = try small.hub()
        #expect(hub[Self.one]?.status == .local)
        #expect(hub.warnings.contains { $0.hasPrefix("multiple scenarios named a/one: ") })
    }
}
