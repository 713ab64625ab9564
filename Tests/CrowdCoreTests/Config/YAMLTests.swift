import CrowdCore
import Testing

private func parse(_ text: String) throws -> YAMLNode {
    try #require(try YAML.document(Array(text.utf8), file: "t.yaml"))
}

@Suite("YAML nodes") struct YAMLTests {
    @Test(
        arguments: [
            ("off", "off", false), ("'off'", "off", nil), ("yes", "yes", true), ("010", "010", nil),
            ("1.10", "1.10", nil),
        ] as [(String, String, Bool?)])
    func scalarsKeepTheirTextUntilTheFieldIsKnown(_ source: String, _ text: String, _ bool: Bool?) throws {
        let node = try parse(source)
        #expect(try node.string() == text)
        #expect((try? node.bool()) == bool)
    }

    @Test(
        arguments: [
            ("12", 12), ("-3", -3), ("0x1F", 31), ("010", 8), ("0o17", 15), ("1_000", 1000), ("2.0", 2), ("1e3", 1000),
            ("2.5", nil), ("abc", nil), ("'5'", nil), ("99999999999999999999", nil),
        ] as [(String, Int?)])
    func integersFollowYAML11(_ source: String, _ expected: Int?) throws {
        let node = try parse(source)
        #expect((try? node.int()) == expected)
    }

    @Test func documentsKeepTheirPlaces() throws {
        let all = try YAML.documents(Array("a: 1\n---\n---\n# c\nb:\n  - x\n".utf8), file: "f")
        #expect(all.count == 3)
        #expect(all[1] == nil)
        let list = try #require(all[2]).anyMapping()["b"]
        #expect(list?.mark == SourceMark(file: "f", line: 6, column: 3))
    }

    @Test(arguments: [
        ("a: 1\nb: 2\na: 3", "t.yaml:3:1: mapping key \"a\" already defined at line 1"),
        ("a: *x", "t.yaml:1:4: unknown anchor 'x' referenced"),
        ("a: [1", "t.yaml:2:1: yaml: while parsing a flow sequence: did not find expected ',' or ']'"),
        ("a: 1\n b: 2", "t.yaml:2:3: yaml: mapping values are not allowed in this context"),
        ("[a]: 1", "t.yaml:1:1: mapping keys must be scalars"),
    ])
    func refusalsSayWhere(_ source: String, _ message: String) {
        let error = #expect(throws: ConfigError.self) { try parse(source) }
        #expect(error?.description == message)
    }

    @Test func mergeKeysAndAliasesAreResolved() throws {
        let node = try parse("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n")
        let use = try #require(try node.anyMapping()["use"]).anyMapping()
        #expect(try use.int("x") == 1)
        #expect(try use.int("y") == 3)
    }

    @Test func laughsAndTowersAreBounded() {
        var laughs = "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        for (name, of) in zip("bcdefgh", "abcdefg") {
            laughs += "\(name): &\(name) [" + Array(repeating: "*\(of)", count: 10).joined(separator: ",") + "]\n"
        }
        #expect(throws: ConfigError.self) { try parse(laughs) }
        #expect(throws: ConfigError.self) { try parse(String(repeating: "[", count: 5000)) }
        #expect(throws: ConfigError.self) { try parse("a: \u{1}") }
    }

    @Test func unknownKeysNameTypeAndPlace() throws {
        let node = try parse("enabled: true\n  \nfoo: 1")
        let error = #expect(throws: ConfigError.self) {
            _ = try node.mapping(type: "csconfig.PrometheusCfg", known: ["enabled"])
        }
        #expect(error?.description == "t.yaml:3:1: field foo not found in type csconfig.PrometheusCfg")
    }

    @Test(arguments: ["a: 1\nb:\n  - x\n  - k: v\n    l: \"true\"\nc: []\nd: \"a: b\"\ne:\n"])
    func writtenTextReadsBackTheSame(_ source: String) throws {
        let node = try parse(source)
        #expect(node.yamlText == source)
        #expect(try parse(node.yamlText) == node)
    }
}

@Suite("Overlay and environment") struct OverlayTests {
    @Test(arguments: [
        ("a: {x: 1, y: 2}", "a: {y: 3, z: 4}", "a: {x: 1, y: 3, z: 4}"),
        ("a: [1, 2]", "a: [3]", "a: [3]"),
        ("a: {x: 1}", "a: null", "a: null"),
        ("a: 1", "{}", "a: 1"),
    ])
    func patchesMergeDeeply(_ base: String, _ patch: String, _ expected: String) throws {
        #expect(try parse(base).merged(with: try parse(patch)) == parse(expected))
    }

    @Test(arguments: [
        ("a: {x: 1}", "a: [1]", "t.yaml:1:4: can't merge a sequence into a mapping"),
        ("a: [1]", "a: {x: 1}", "t.yaml:1:4: can't merge a mapping into a sequence"),
    ])
    func unlikeThingsDoNotMerge(_ base: String, _ patch: String, _ message: String) throws {
        let error = #expect(throws: ConfigError.self) { _ = try parse(base).merged(with: try parse(patch)) }
        #expect(error?.description == message)
    }

    @Test(arguments: [
        ("$A/x", "1/x"), ("${A}b", "1b"), ("$EMPTY.", "."), ("pa$$word", "pa$$word"),
        ("$NOPE ${NOPE} ${A", "$NOPE ${NOPE} ${A"),
        ("$", "$"), ("$Ab", "$Ab"),
    ])
    func onlyExistingVariablesAreReplaced(_ text: String, _ expected: String) {
        let variables = ["A": "1", "EMPTY": ""]
        #expect(EnvironmentExpansion { variables[$0] }(text) == expected)
    }

    @Test func anUnquotedVariableMayBeAList() throws {
        let expand = EnvironmentExpansion { ["L": "[a, b]", "P": "x: #y"][$0] }
        let node = expand(try parse("l: $L\nq: '$L'\np: $P"))
        #expect(node == (try parse("l: [a, b]\nq: '[a, b]'\np: 'x: #y'").withPlain("p")))
    }
}

extension YAMLNode {
    /// The same mapping, the scalar under `key` unquoted.
    fileprivate func withPlain(_ key: String) -> YAMLNode {
        guard case .mapping(let pairs) = content else { return self }
        var copy = self
        copy.content = .mapping(
            pairs.map { pair in
                guard (try? pair.key.string()) == key, let text = try? pair.value.string() else { return pair }
                return (pair.key, YAMLNode(.scalar(text: text, plain: true), at: pair.value.mark))
            })
        return copy
    }
}
