import CrowdCore
import CrowdTestSupport
import CrowdText
import Testing

@testable import CrowdExpr

/// A condition that was compiled with questions gives what the same condition gives without them, for every value.
@Suite("Questions about texts") struct NeedleQuestionTests {
    private struct Files: ExprResources, @unchecked Sendable {
        // Sendable: nobody changes the list.
        let texts: ListValue
        let patterns: PatternSet?
        func lines(of file: String) -> ListValue? { file == "known" ? texts : nil }
        func patterns(of file: String) -> PatternSet? { file == "patterns" ? patterns : nil }
    }

    /// Two environments with the same names: one sealed, so that its programs ask ahead, one that knows nothing ahead.
    private static func environments() -> (asking: Environment, plain: Environment) {
        let patterns = try? PatternSet(["(?i)/admin\\b", "[$].jndi"])
        let files = Files(
            texts: ListValue(["/admin", "${jndi:", "x'y", "10.0.0.0/8", "K"].map { .string(Immortal.copy($0)) }),
            patterns: patterns)
        let keys = KeyTable()
        func environment() -> Environment {
            var environment = Environment(keys: keys, functions: CrowdSecFunctions.all(files))
            environment.declareEvent()
            return environment
        }
        var asking = environment()
        asking.files = files
        return (asking, environment())
    }

    private static let conditions = [
        "evt.Meta.path contains '/admin'", "Upper(evt.Meta.path) contains Upper('/admin')",
        "Lower(PathUnescape(evt.Meta.path)) startsWith '/admin'", "QueryUnescape(evt.Meta.path) contains 'a b'",
        "Upper(evt.Meta.path) == '/ADMIN'", "evt.Meta.path matches '(?i)adm[i]n|k'",
        "Lower(evt.Meta.path) matches Lower('ADMIN')", "evt.Meta.path matches '(a|b)+x'",
        "any(File('known'), {evt.Meta.path contains #})",
        "any(File('known'), {Upper(evt.Meta.path) contains Upper(#)})",
        "any(File('known'), {evt.Meta.path == #})",
        "any(['/AD.*N', 'K$'], {Upper(evt.Meta.path) matches Upper(#)})",
        "any(File('known'), {Upper(evt.Meta.path) matches Upper(#)})",
        "any(['', 'x'], {evt.Meta.path matches #})", "any(File('wrong'), {evt.Meta.path matches #})",
        "any(File('known'), {len(#) > 0 && evt.Meta.path endsWith #})",
        "any(File('known'), {len(#) > 0 && IpInRange(evt.Meta.path, #)})",
        "any(File('unknown'), {evt.Meta.path contains #})",
        "any(File('known'), {evt.Meta.path contains # ? evt.SetMeta('seen', #) : false}) or evt.Meta.seen == '/admin'",
        "let p = Lower(evt.Meta.path); p contains 'admin' || p contains 'jndi'",
        "evt.Meta.path contains 'a' && (evt.Meta.other contains 'b' || evt.Meta.path endsWith 'n')",
        "not (evt.Meta.path contains 'admin')", "evt.Meta.path contains ''", "'path' in evt.Meta", "'none' in evt.Meta",
        "if evt.Meta.path contains 'x' { evt.Meta.path contains 'y' } else { false }",
        "RegexpInFile(evt.Meta.path, 'patterns')", "RegexpInFile(Lower(evt.Meta.path), 'patterns')",
        "IsIPV6(evt.Meta.path)", "IsIPV4(evt.Meta.path) && not IsIPV6(evt.Meta.path)", "IsIP(evt.Meta.path + '')",
        "IpInRange(evt.Meta.path, '10.0.0.0/8')", "IpInRange(evt.Meta.path, 'nonsense')",
    ]

    private static let values = [
        "", "/admin", "/ADMIN/", "/%61dmin", "a+b", "a b", "%41+", "${JNDI:ldap}", "\u{212a}", "\u{17f}", "é/admin",
        "x'y",
        "X'Y", "10.1.2.3", "::ffff:10.1.2.3", "11.0.0.1", "/adm", "admin?k", "\u{130}", "bax",
        // Long enough to be remembered.
        "/shop/ADMIN/index.php", "/shop/%61dmin/index.php", "/shop/article-17.html", "/shop/article-18.html",
        "Mozilla/5.0 (\u{212a})", "?x=${jndi:ldap://x/y}", String(repeating: "/shop", count: 60) + "/admin",
    ]

    @Test(arguments: conditions) func nothingChanges(_ condition: String) throws {
        let (asking, plain) = NeedleQuestionTests.environments()
        let (fast, slow) = (try Program(condition, in: asking), try Program(condition, in: plain))
        var others: [Int] = []
        let index = NeedleIndex(fast.needs.isEmpty ? [] : [(number: 7, needs: fast.needs)], in: asking, others: &others)
        asking.needles.seal()
        #expect(others.isEmpty)
        let event = Event(keys: asking.keys)
        let (fastMachine, slowMachine) = (Machine(event: event), Machine(event: event))
        let path = try #require(asking.keys.intern("path"))
        for value in NeedleQuestionTests.values + NeedleQuestionTests.values.reversed() {
            func set() {
                event.reset()
                event.meta.set(path, event.arena.copy(value))
            }
            set()
            let expected = try slow.bool(on: slowMachine)
            set()
            var candidates: [Int] = []
            index.candidates(on: fastMachine, into: &candidates)
            #expect(try fast.bool(on: fastMachine) == expected, "\(value)")
            #expect(fast.needs.isEmpty || !expected || candidates.contains(7), "\(value) is not offered")
        }
    }

    /// What the dispatcher may leave out.
    @Test(arguments: [
        ("evt.Meta.path contains '/admin'", "/index.html", false), ("evt.Meta.path contains '/admin'", "/admin", true),
        ("Upper(evt.Meta.path) contains 'ADMIN'", "/ındex", true),
        ("Upper(evt.Meta.path) contains 'ADMIN'", "/", false),
        ("PathUnescape(evt.Meta.path) contains 'ADMIN'", "/%41", true),
        ("evt.Meta.path contains 'a' && evt.Meta.path contains 'long'", "a", false),
        ("evt.Meta.path contains 'a' || evt.Meta.path contains 'b'", "b", true),
    ])
    func offers(_ condition: String, _ value: String, _ isOffered: Bool) throws {
        let (environment, _) = NeedleQuestionTests.environments()
        let program = try Program(condition, in: environment)
        var others: [Int] = []
        let index = NeedleIndex([(number: 1, needs: program.needs)], in: environment, others: &others)
        environment.needles.seal()
        let event = Event(keys: environment.keys)
        event.meta.set(try #require(environment.keys.intern("path")), event.arena.copy(value))
        var candidates: [Int] = []
        index.candidates(on: Machine(event: event), into: &candidates)
        #expect(candidates.isEmpty == !isOffered)
    }

    /// A filter over a list that grows is asked of each element once.
    @Test func filtersOverGrowingListsGoOn() throws {
        var environment = Environment()
        environment.declare("list", .list(.int))
        let program = try Program("len(filter(list, {# > 2})) * 100 + len(list)", in: environment)
        let list = ListValue([])
        list.memo = FilterMemo()
        let machine = Machine(event: Event(keys: environment.keys), variables: [.list(list)])
        for (value, expected) in [(1, 1), (5, 102), (2, 103), (9, 204)] {
            list.items.append(.int(Int64(value)))
            guard case .int(let result) = try program.value(on: machine) else {
                Issue.record("not a number")
                return
            }
            #expect(result == Int64(expected))
        }
    }
}
