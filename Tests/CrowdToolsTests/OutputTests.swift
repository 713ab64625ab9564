import CrowdCore
import Testing

@testable import CrowdTools

@Suite("Output") struct OutputTests {
    @Test func fullTable() {
        var table = Table(["ID", "value"], title: "Active Decisions")
        table.rows = [["1", "Ip:192.0.2.1"], ["22", "x"]]
        #expect(
            table.text(.full) == """
                +-------------------+
                | Active Decisions  |
                +----+--------------+
                | ID |    value     |
                +----+--------------+
                | 1  | Ip:192.0.2.1 |
                | 22 | x            |
                +----+--------------+

                """)
    }

    @Test func headersMayHaveTwoLines() {
        var table = Table(["a", "bb\ncccc"])
        table.rows = [["1", "2"]]
        #expect(
            table.text(.full) == """
                +---+------+
                | a |  bb  |
                |   | cccc |
                +---+------+
                | 1 | 2    |
                +---+------+

                """)
    }

    /// As bouncers' metrics are shown: groups of columns, numbers right, a sum below; a long title goes on below itself.
    @Test func groupsFooterAndLongTitle() {
        var table = Table(["", "dogyear", "pound"], title: "Bouncer Metrics (testbouncer) since 2024")
        table.groups = ["Origin", "foo", "foo"]
        table.numbers = [1, 2]
        table.footer = ["Total", "2", "5"]
        let head = """
            +--------------------------+
            | Bouncer Metrics (testbou |
            | ncer) since 2024         |
            +--------+-----------------+
            | Origin |       foo       |
            |        | dogyear | pound |
            +--------+---------+-------+

            """
        let foot = "|  Total |       2 |     5 |\n+--------+---------+-------+\n"
        #expect(table.text(.full) == head + foot)
        table.rows = [["cscli", "2", "-"]]
        #expect(
            table.text(.full) == head + "| cscli  |       2 |     - |\n+--------+---------+-------+\n" + foot)
    }

    @Test(arguments: [(0, 10, 0), (5, 10, 15), (10, 10, 30), (20, 10, 30), (1, 0, 0)])
    func bars(_ done: Int, _ total: Int, _ filled: Int) {
        let bar = ProgressMeter.bar(done, of: total)
        #expect(bar.count == 32 && bar.count { $0 == "#" } == filled)
    }

    @Test func differences() {
        let old = (1...20).map { "line \($0)" }.joined(separator: "\n") + "\n"
        let new = old.replacing("line 4\n", with: "line four\n").replacing("line 20\n", with: "")
        #expect(
            UnifiedDiff.text("a", old, "b", new) == """
                --- a
                +++ b
                @@ -1,7 +1,7 @@
                 line 1
                 line 2
                 line 3
                -line 4
                +line four
                 line 5
                 line 6
                 line 7
                @@ -17,4 +17,3 @@
                 line 17
                 line 18
                 line 19
                -line 20

                """)
        #expect(UnifiedDiff.text("a", old, "b", old) == "")
    }

    @Test(arguments: [
        ("plain, é 🟢 \u{A0}", "plain, é 🟢 \u{A0}"), ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\u{1B}[31mred\u{7}", "\\x1b[31mred\\x07"), ("a\rb\u{7F}", "a\\x0db\\x7f"), ("\u{9B}2J", "\\x9b2J"),
    ])
    func terminalsAreToldNothing(_ text: String, _ shown: String) {
        #expect(text.printable == shown)
        var table = Table(["a"])
        table.rows = [[text.replacing("\n", with: " ")]]
        for style in [Table.Style.full, .light] {
            #expect(table.text(style).contains(shown.replacing("\n", with: " ")))
        }
    }

    @Test func lightTable() {
        var table = Table(["Name", "Type"])
        table.rows = [["edge", ""], ["a", "fw"]]
        let lines = [
            "------------", " Name  Type ", "------------", " edge       ", " a     fw   ", "------------", "",
        ]
        #expect(table.text(.light) == lines.joined(separator: "\n"))
    }

    @Test func lightTableOfFacts() {
        var table = Table([], title: "Allowlist: a")
        table.rows = [["Name", "a"], ["Size", "12"]]
        let lines = ["----------", " Allowlist: a ", "----------", " Name  a  ", " Size  12 ", "----------", ""]
        #expect(table.text(.light) == lines.joined(separator: "\n").replacing("----------", with: "--------------"))
    }

    @Test func numbersStandRight() {
        var table = Table(["Name", "Size"])
        table.numbers = [1]
        table.rows = [["a", "5"]]
        #expect(table.text(.light).contains("\n a        5 \n"))
    }

    @Test(arguments: [
        (["a", "b"], "a,b\n"), (["a,b", "c\"d"], "\"a,b\",\"c\"\"d\"\n"), (["", " x"], ",\" x\"\n"),
        (["two\nlines"], "\"two\nlines\"\n"),
    ])
    func csv(_ cells: [String], _ line: String) { #expect(CSV.line(cells) == line) }

    @Test func prettyJSON() throws {
        let json = try JSON.parse(Array(#"{"a":[1,{"b":null}],"c":[],"d":{}}"#.utf8))
        #expect(
            json.pretty == """
                {
                  "a": [
                    1,
                    {
                      "b": null
                    }
                  ],
                  "c": [],
                  "d": {}
                }
                """)
    }

    @Test(arguments: [
        (0.0, "-"), (999, "999"), (1000, "1.00k"), (1234, "1.23k"), (1_500_000, "1.50M"), (2e9, "2.00G"),
        (1e300, "1e+300"), (.nan, "nan"), (-.infinity, "-inf"),
    ])
    func numbers(_ value: Double, _ text: String) {
        #expect(MetricsReport.Section.number(value, units: true) == text)
    }

    @Test func readsMetrics() {
        let text = "# HELP x y\ncs_alerts{reason=\"a \\\"b\\\", c\",kind=\"x\"} 3\ncs_up 1\nbroken\n"
        #expect(
            MetricSample.parse(text) == [
                MetricSample(name: "cs_alerts", labels: ["reason": "a \"b\", c", "kind": "x"], value: 3),
                MetricSample(name: "cs_up", labels: [:], value: 1),
            ])
    }

    @Test func credentialsAreReadBack() throws {
        let text = CredentialsFile.yaml(url: "http://127.0.0.1:8080/", login: "a: b", password: "1e5")
        let node = try #require(try YAML.document(Array(text.utf8), file: "c.yaml"))
        let credentials = try LAPICredentials(from: node, path: "c.yaml")
        #expect(credentials.login == "a: b" && credentials.password == "1e5")
        #expect(MachineIdentity.generatedID().count == 48)
        #expect(MachineIdentity.generatedPassword().count == 64)
    }

    @Test(arguments: [("192.0.2.0/24", "192.0.2.0%2F24"), ("a b&c", "a%20b%26c"), ("é", "%C3%A9")])
    func escapes(_ text: String, _ escaped: String) { #expect(QueryString.escape(text) == escaped) }
}
