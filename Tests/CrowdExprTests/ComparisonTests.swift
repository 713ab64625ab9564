import CrowdCore
import Testing

@testable import CrowdExpr

/// `==` of what the reference takes for ints (engine facts D.3): `max` and `min` have the type of their first argument.
@Suite("Comparisons") struct ComparisonTests {
    @Test(arguments: [
        ("max(1, 2) == 2", "true"), ("max(1, 2.5) == 2", "invalid operation: float64 == int (of ints)"),
        ("2 != max(1, 2.5)", "invalid operation: int != float64 (of ints)"), ("min(1, 2.5) != 2", "true"),
        ("max(2.5, 1) == 2.5", "true"), ("max([1, 2.5]) == 2.5", "true"), ("max(x, 2.5) == 2.5", "true"),
        ("max(max(1, 2.5), 1) == 1", "invalid operation: float64 == int (of ints)"), ("max(1, 2.5) == 2.5", "true"),
    ])
    func ofIntsTakeInts(_ source: String, result: String) throws {
        var environment = Environment()
        environment.declare("x", .any)
        let machine = Machine(event: Event(keys: KeyTable()), variables: [.int(1)])
        let found: String
        do { found = Printing.plain(try Program(source, in: environment).value(on: machine)) } catch {
            found = error.message
        }
        #expect(found == result)
    }
}
