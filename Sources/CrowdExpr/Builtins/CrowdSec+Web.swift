import CInjection
import CrowdCore

extension CrowdSecFunctions {
    /// Functions that ask web servers, and the reputation of addresses (engine facts D.5).
    static func web(_ resources: some ExprResources) -> [Function] {
        @Sendable func ask(_ call: Arguments, _ question: WebQuestion) throws(ValueError) -> Value {
            guard let web = resources.web else { throw ValueError("web servers cannot be asked from here") }
            return .object(WebAnswerObject(try web.ask(question), arena: call.arena))
        }
        let answer = StaticType.object(WebAnswerObject.type)
        return [
            Function("HTTPGet", [.string], answer, pure: false) { call throws(ValueError) in
                try ask(call, WebQuestion("GET", call.string(0)))
            },
            Function("HTTPHead", [.string], answer, pure: false) { call throws(ValueError) in
                try ask(call, WebQuestion("HEAD", call.string(0)))
            },
            Function("HTTPPost", [.string, .string, .string], answer, pure: false) { call throws(ValueError) in
                let type = try call.string(1)
                let headers = type.isEmpty ? [] : [(name: "Content-Type", value: try plain(type))]
                return try ask(
                    call, WebQuestion("POST", call.string(0), headers: headers, body: Array(call.text(2).buffer)))
            },
            Function("HTTPRequest", [.string, .string, .map(.any), .string], answer, pure: false) {
                call throws(ValueError) in
                let body = Array(try call.text(3).buffer)
                return try ask(
                    call,
                    WebQuestion(
                        call.string(0).uppercased(), call.string(1), headers: headers(call.map(2)),
                        body: body.isEmpty ? nil : body))
            },
            Function("CrowdsecCTI", [.string], .object(ReputationObject.type), pure: false) {
                call throws(ValueError) in
                guard let reputations = resources.reputations else { throw ValueError("CTI is not enabled") }
                return .object(ReputationObject(try reputations.find(call.string(0)), arena: call.arena))
            },
        ]
    }

    private static func headers(_ map: MapValue) throws(ValueError) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for (name, value) in zip(map.keys, map.values) {
            guard case .string(let text) = value else { throw ValueError("header \(name) must be a string") }
            headers.append((try plain(String(name)), try plain(String(text))))
        }
        return headers
    }

    /// A line end in a header would begin another one.
    private static func plain(_ text: String) throws(ValueError) -> String {
        guard text.utf8.allSatisfy({ $0 >= 0x20 || $0 == 0x09 }) else {
            throw ValueError("a header may have no control characters")
        }
        return text
    }

    /// `MatchKnownBot`: a user agent that says so, and an address that shows it.
    static func bots(_ resources: some ExprResources) -> [Function] {
        [
            Function(
                "MatchKnownBot", [.string, .string, .string, .string], required: 3, variadic: true, .bool, pure: false
            ) { call throws(ValueError) in
                let (agent, path) = (try call.text(1), try call.text(2))
                guard let address = IPAddress(ascii: try call.text(0).buffer) else { return .bool(false) }
                for index in 3..<max(call.count, 3) {
                    let file = try call.string(index)
                    guard let isKnown = resources.isKnownBot(address, agent, path: path, in: file) else {
                        resources.report("file '\(file)' (type:bots) not found in expr library")
                        continue
                    }
                    if isKnown { return .bool(true) }
                }
                return .bool(false)
            }
        ]
    }

    /// libinjection's two questions.
    static let injections: [Function] = [
        injection("LibInjectionIsSQLI", crowd_injection_is_sqli),
        injection("LibInjectionIsXSS", crowd_injection_is_xss),
    ]

    private static func injection(
        _ name: String, _ body: @escaping @Sendable (UnsafePointer<CChar>?, Int) -> Int32
    ) -> Function {
        let missing: @Sendable () -> String? = {
            crowd_injection_load().map { "\(name) needs libinjection: \(String(cString: $0))" }
        }
        return Function(name, [.string], .bool, unavailable: missing) { call throws(ValueError) in
            let text = try call.text(0)
            let found = text.buffer.withMemoryRebound(to: CChar.self) { body($0.baseAddress, $0.count) }
            return .bool(text.count > 0 && found != 0)
        }
    }
}

/// What a web server answered.
final class WebAnswerObject: ValueObject {
    static let type = ObjectType("exprhelpers.HTTPResponse")
        .field("StatusCode", 0, .int).field("Body", 1, .string).field("Headers", 2, .map(.list(.string)))

    private let answer: WebAnswer
    private let arena: Arena

    init(_ answer: WebAnswer, arena: Arena) { (self.answer, self.arena) = (answer, arena) }

    var type: ObjectType { Self.type }

    func field(_ index: Int) -> Value {
        switch index {
        case 0: .int(Int64(answer.status))
        case 1: .string(arena.copy(answer.body))
        case 2: .map(headers)
        default: .null
        }
    }

    /// Names as Go spells them, each with all its values.
    private var headers: MapValue {
        let map = MapValue()
        for header in answer.headers {
            let name = arena.copy(Self.canonical(header.name))
            let value = Value.string(arena.copy(header.value))
            if case .list(let values)? = map.find(name) {
                values.items.append(value)
            } else {
                map.set(name, .list(ListValue([value])))
            }
        }
        return map
    }

    private static func canonical(_ name: String) -> String {
        name.split(separator: "-", omittingEmptySubsequences: false)
            .map { $0.prefix(1).uppercased() + $0.dropFirst().lowercased() }.joined(separator: "-")
    }
}
