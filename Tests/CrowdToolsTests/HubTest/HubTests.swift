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
        await withTaskGroup(of: HubTest.Outcome.self) { group in
            for name in names {
                let test = HubTest(
                    name: name, hub: hub, patternDirectory: HubTests.patterns, dataMirror: mirror,
                    acceleratesRegex: accelerated)
                group.addTask { test.run() }
            }
            for await outcome in group where !outcome.isSuccess {
                Issue.record("\(outcome.name): \(outcome.error ?? "") \(outcome.failures.first ?? "")")
            }
        }
    }
}
