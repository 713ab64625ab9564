import CrowdCore
import CrowdExpr

/// `detect.yaml`: which services there may be, how to tell, and what each needs.
struct DetectRules {
    struct Service {
        var name: String
        var conditions: [(text: String, mark: SourceMark)] = []
        var hub: YAMLNode?
        var acquisition: YAMLNode?
    }

    private(set) var services: [Service] = []

    init(_ path: String) throws {
        let bytes = try FileContents.read(path)
        let root = try YAML.document(bytes, file: path)
        guard let root else { throw CommandError("parsing \(path): file is empty") }
        let yaml = try root.mapping(type: "setup.DetectConfig", known: ["detect"])
        for entry in try yaml.present("detect")?.anyMapping().entries ?? [] {
            let item = try entry.value.mapping(
                type: "setup.ServiceProfile", known: ["when", "hub_spec", "acquisition_spec"])
            var service = Service(name: entry.key)
            for node in try item.present("when")?.sequence() ?? [] {
                service.conditions.append((try node.string(), node.mark))
            }
            service.hub = item.present("hub_spec")
            service.acquisition = item.present("acquisition_spec")
            services.append(service)
        }
        services.sort { $0.name < $1.name }
    }

    /// The services of this host, as a setup document: all conditions of a service have to hold.
    ///
    /// - Throws: for a condition that cannot be compiled or evaluated; it names file and line.
    func detect(_ facts: HostFacts, forced: Set<String>, ignored: Set<String>) throws -> SetupDocument {
        for name in (forced.union(ignored)).sorted() where !services.contains(where: { $0.name == name }) {
            throw CommandError("service \(name) is not in the detection rules")
        }
        let language = SetupLanguage(facts)
        var document = SetupDocument()
        for service in services where !ignored.contains(service.name) {
            // Every condition is evaluated, so that a wrong one is found on every host.
            let holds = try service.conditions.map { try language.holds($0.text, at: $0.mark, in: service.name) }
            guard forced.contains(service.name) || holds.allSatisfy({ $0 }) else { continue }
            document.items.append(
                try SetupDocument.Item(service: service.name, hub: service.hub, acquisition: service.acquisition))
        }
        return document
    }
}

/// The expressions of `when`: `Host`, `Path`, `Systemd`, `System`, `Version`, `Windows`.
struct SetupLanguage {
    private var environment = Environment(functions: CrowdSecFunctions.all())
    private let machine = Machine(event: Event(keys: KeyTable()))

    init(_ facts: HostFacts) {
        environment.declare("Host", .map(.string))
        machine.variables.append(Self.map(facts.host))
        for object in Self.objects(facts) {
            environment.declare(object.type.name, .object(object.type))
            machine.variables.append(.object(object))
        }
    }

    func holds(_ text: String, at mark: SourceMark, in service: String) throws -> Bool {
        do {
            let value = try Program(text, in: environment).value(on: machine)
            guard case .bool(let holds) = value else { throw CommandError("not a boolean") }
            return holds
        } catch {
            let reason = (error as? ExprError)?.message ?? "\(error)"
            throw CommandError("\(mark): detecting \(service): '\(text)': \(reason)")
        }
    }

    private static func map(_ texts: [String: String]) -> Value {
        let map = MapValue(missing: .string(.empty))
        for (key, value) in texts { map.set(Immortal.copy(key), .string(Immortal.copy(value))) }
        return .map(map)
    }

    private static func objects(_ facts: HostFacts) -> [SetupObject] {
        let path = SetupObject("Path")
        path.add("Exists", [.string], .bool) { .bool(FileContents.exists($0[0])) }
        path.add("Glob", [.string], .list(.string)) { arguments in
            .list(ListValue(HostFacts.glob(arguments[0]).map { .string(Immortal.copy($0)) }))
        }
        let systemd = SetupObject("Systemd")
        systemd.add("UnitInstalled", [.string], .bool) { .bool(facts.isInstalled($0[0])) }
        systemd.add("UnitConfig", [.string, .string], .string) { arguments in
            .string(Immortal.copy(facts.property(arguments[1], of: arguments[0])))
        }
        systemd.add("UnitLogsToJournal", [.string], .bool) { .bool(facts.logsToJournal($0[0])) }
        let system = SetupObject("System")
        system.add("ProcessRunning", [.string], .bool) { .bool(facts.isRunning($0[0])) }
        let version = SetupObject("Version")
        version.add("Check", [.string, .string], .bool) { (arguments) throws(ValueError) in
            guard let holds = VersionConstraint.holds(arguments[0], arguments[1]) else {
                throw ValueError("invalid version or constraint: '\(arguments[0])', '\(arguments[1])'")
            }
            return .bool(holds)
        }
        let windows = SetupObject("Windows")
        windows.add("ServiceEnabled", [.string], .bool) { _ in .bool(false) }
        return [path, systemd, system, version, windows]
    }
}

/// An object of the setup language: named methods that take texts.
final class SetupObject: ValueObject {
    typealias Body = ([String]) throws(ValueError) -> Value

    let type: ObjectType
    private var bodies: [Body] = []

    init(_ name: String) { type = ObjectType(name) }

    func add(_ name: String, _ parameters: [StaticType], _ result: StaticType, _ body: @escaping Body) {
        type.method(name, bodies.count, parameters, result)
        bodies.append(body)
    }

    func field(_ index: Int) -> Value { .null }

    func call(_ method: Int, _ arguments: [Value], arena: Arena) throws(ValueError) -> Value {
        var texts: [String] = []
        for argument in arguments {
            guard case .string(let text) = argument else { throw ValueError("\(type.name): a text is needed") }
            texts.append(String(text))
        }
        return try bodies[method](texts)
    }
}
