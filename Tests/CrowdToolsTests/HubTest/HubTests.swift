import CrowdCore
import CrowdTestSupport
import Testing

@testable import CrowdTools

@Suite("Hub tests") struct HubTests {
    private static let patterns = SharedMaterial.packageRoot + "/deploy/etc/crowdsec/patterns"

    /// Tests that name a file which is not in the reference's copy.
    private static let incomplete: Set = ["magento-ccs-by-as"]

    @Test(arguments: [true, false])
    func theWholeHubPasses(accelerated: Bool) async throws {
        guard let root = SharedMaterial.path("hub"), let mirror = SharedMaterial.path("hub-data") else { return }
        let hub = try HubCheckout(root)
        let names = hub.testNames.filter { !HubTests.incomplete.contains($0) }
        #expect(names.count > 250)
        let tests = names.map { name in
            HubTest(
                name: name, hub: hub, patternDirectory: HubTests.patterns, dataMirror: mirror,
                acceleratesRegex: accelerated)
        }
        for outcome in await HubTests.run(tests) where !outcome.isSuccess {
            Issue.record("\(outcome.name): \(outcome.error ?? "") \(outcome.failures.first ?? "")")
        }
    }

    /// On a thread of their own: half a minute of work must not hold up the tests that wait for answers.
    private static func run(_ tests: [HubTest]) async -> [HubTest.Outcome] {
        await withCheckedContinuation { done in
            PlainThread.start("hub tests", stackBytes: 8 << 20) { done.resume(returning: tests.map { $0.run() }) }
        }
    }
}
