import CrowdCore
import Testing

@testable import CrowdExpr

/// Predicates over a part of a list, and what is known of a condition before a list has enough elements.
@Suite("Lists and their parts") struct ListPartsTests {
    private static let queue = ObjectType("types.Queue").field("Queue", 0, .list(.object(EventTypes.event)))
        .field("L", 1, .int)

    private static func environment() -> Environment {
        var environment = Environment(keys: KeyTable(), functions: CrowdSecFunctions.all())
        environment.declareEvent()
        environment.declare("queue", .object(queue))
        return environment
    }

    @Test(arguments: [
        ("map([1, 2, 3, 4][-2:], # * 10)", "[30 40]"), ("filter([1, 2, 3, 4][1:3], # > 2)", "[3]"),
        ("filter([1, 2, 3][1:], #index == 0)", "[2]"), ("findIndex([1, 2, 3, 4][1:], # == 3)", "1"),
        ("findLastIndex([3, 2, 3, 4][1:], # == 3)", "1"), ("find([1, 2, 3, 4][2:], # < 4)", "3"),
        ("findLast([1, 2, 3, 4][:2], # < 4)", "2"), ("count([1, 2, 3, 4][2:], # > 0)", "2"),
        ("sum([1, 2, 3, 4][2:])", "7"), ("reduce([1, 2, 3, 4][1:], #acc * #)", "24"),
        ("reduce([5, 6][1:], #acc + #index, 100)", "100"), ("any([1, 2, 3][1:], # == 1)", "false"),
        ("all([1, 2, 3][5:], # == 1)", "true"), ("one([1, 2, 2][:2], # == 2)", "true"),
        ("sortBy([3, 1, 2][1:], -#)", "[2 1]"), ("map([1, 2][2:1], #)", "[]"),
        (#"map("abc"[1:], #)"#, "builtin map takes only array (got string)"),
        (#"let x = nil; any(x, # == 1)"#, "builtin any takes only array (got nil)"),
    ])
    func areGoneThrough(_ source: String, result: String) throws {
        let machine = Machine(event: Event(keys: KeyTable()), variables: [.null])
        let found: String
        do {
            found = Printing.plain(try Program(source, in: Self.environment()).value(on: machine))
        } catch {
            found = error.message
        }
        #expect(found == result)
    }

    @Test(arguments: [
        ("len(queue.Queue) >= 4", 4), ("len(queue.Queue) > 4", 5), ("4 <= len(queue.Queue)", 4),
        ("4 < len(queue.Queue)", 5), ("len(queue.Queue) < 4", 0), ("len(queue.Queue) == 4", 0),
        ("len(filter(queue.Queue, #.Meta.a == 'x')[-3:]) >= 3", 3), ("count(queue.Queue, #.Meta.a == 'x') > 1", 2),
        (
            "let a = filter(queue.Queue, #.Meta.a == 'x'); "
                + "len(a) >= 4 && MedianInterval(map(a[-4:], #.Time)) > duration('1s')", 4
        ),
        ("len(queue.Queue) >= 4 && len(queue.Queue) >= 6", 6), ("len(queue.Queue) >= 4 || len(queue.Queue) >= 6", 4),
        ("len(queue.Queue) >= 4 || evt.Meta.a == 'x'", 0), ("not (len(queue.Queue) >= 4)", 0),
        ("len(uniq(map(queue.Queue, #.Meta.a))) >= 4", 0), ("len(groupBy(queue.Queue, #.Meta.a)) >= 4", 0),
        ("queue.L >= 4", 0), ("len(evt.Meta.a) >= 4", 0), ("len(queue.Queue) >= -4", 0),
        ("let a = [1, 2, 3, 4]; len(a) >= 4", 0), ("len(queue.Queue) >= 4.5", 0),
    ])
    func areNotAskedBeforeTheyAreLongEnough(_ source: String, least: Int) throws {
        let program = try Program(source, in: Self.environment())
        #expect(program.leastElements(ofVariable: 0, field: 0) == least)
    }
}
