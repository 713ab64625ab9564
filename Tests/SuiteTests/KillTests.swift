import CrowdTestSupport
import Testing

/// `Tests/Benchmarks/kills.py`, a short one: the Local API is killed under load, and what it has promised holds.
@Suite("Local API killed under load", .timeLimit(.minutes(10))) struct KillTests {
    @Test(arguments: TestDatabase.present) func nothingIsLostOrDoubled(_ database: TestDatabase) throws {
        let directory = try TemporaryDirectory()
        let programs = Command.built("crowd-lapi").dropLast("/crowd-lapi".count)
        let result = try Command.run(
            [
                "python3", SharedMaterial.packageRoot + "/Tests/Benchmarks/kills.py", "--programs", String(programs),
                "--database", try database.yaml(in: directory), "--kills", "6", "--seed", "6",
            ], seconds: 150)
        #expect(result.status == 0, "\(result.output)")
    }
}
