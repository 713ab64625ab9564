import CrowdCore
import CrowdEngine
import CrowdExpr
import CrowdText
import Glibc

/// What libFuzzer throws bytes at; `CROWD_FUZZ_ENTRY` names the part (`Tests/Fuzz/run`).
///
/// An entry lives through the whole run, as an agent does: what one input leaves behind meets the next.
private protocol Entry: AnyObject {
    func take(_ input: ByteSlice)
}

private nonisolated(unsafe) var entry: (any Entry)?

/// Before the first input: loading a hub takes longer than any input may.
@_cdecl("LLVMFuzzerInitialize")
public func fuzzInitialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> Int32 {
    switch getenv("CROWD_FUZZ_ENTRY").map({ String(cString: $0) }) {
    case "expression": entry = ExpressionEntry()
    case "grok": entry = GrokEntry()
    case "item": entry = ItemEntry()
    case "line": entry = LineEntry()
    case "wire": entry = WireEntry()
    default:
        print("CROWD_FUZZ_ENTRY is none of expression, grok, item, line, wire")
        exit(2)
    }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    // libFuzzer's first input is empty and may have no address.
    if let bytes { entry?.take(ByteSlice(base: bytes, count: count)) }
    return 0
}

extension ByteSlice {
    /// What comes before the first line end, and what comes after it.
    fileprivate var firstLine: (ByteSlice, ByteSlice) {
        guard let end = buffer.firstIndex(of: 10) else { return (self, .empty) }
        return (
            ByteSlice(base: base, count: end), ByteSlice(base: base + end + 1, count: count - end - 1)
        )
    }
}

/// Text → lexer, parser, checker, compiler, machine.
private final class ExpressionEntry: Entry {
    private var environment = Environment(functions: CrowdSecFunctions.all())
    private let machine: Machine

    init() {
        environment.declareEvent()
        machine = Machine(event: Event(keys: environment.keys))
    }

    func take(_ input: ByteSlice) {
        machine.event.reset()
        machine.event.line.raw = input
        guard let program = try? Program(String(input), in: environment),
            let value = try? program.value(on: machine)
        else { return }
        _ = try? ValueJSON.text(value, escapingHTML: false)
    }
}

/// First line: a pattern; the rest: what it is matched against. Both engines must agree.
private final class GrokEntry: Entry {
    private let libraries = (GrokLibrary.standard(accelerated: true), GrokLibrary.standard(accelerated: false))

    func take(_ input: ByteSlice) {
        let (pattern, text) = input.firstLine
        var (fast, sure) = libraries
        guard let one = try? fast.compile(String(pattern)), let other = try? sure.compile(String(pattern)) else {
            return
        }
        let isUTF8 = UTF8Check.isValid(text)
        let scratches = [
            PatternScratch(patterns: fast.compiledCount, pairs: one.pattern.pairCount),
            PatternScratch(patterns: sure.compiledCount, pairs: other.pattern.pairCount),
        ]
        let matched = [
            scratches[0].match(one.pattern, text, isUTF8: isUTF8),
            scratches[1].match(other.pattern, text, isUTF8: isUTF8),
        ]
        guard matched[0] == matched[1] else { disagree(pattern, "match", "\(matched)") }
        guard matched[0] else { return }
        for (index, field) in one.fields.enumerated() {
            let ranges = [
                scratches[0].range(one.pattern.places[index]), scratches[1].range(other.pattern.places[index]),
            ]
            guard ranges[0] == ranges[1] else { disagree(pattern, field, "\(ranges)") }
        }
    }

    private func disagree(_ pattern: ByteSlice, _ what: String, _ found: String) -> Never {
        print("The engines disagree on \(what) of \(String(pattern)): \(found)")
        abort()
    }
}

/// Text → YAML → an item of each kind → compiled, and a line through it.
private final class ItemEntry: Entry {
    private let path = "/dev/shm/crowd-fuzz-\(getpid()).yaml"
    private let origin = LineOrigin(source: "fuzz", module: "file", labels: [("type", "syslog")], isReplay: true)

    func take(_ input: ByteSlice) {
        guard (try? FileContents.replace(path, with: Array(input.buffer))) != nil else { return }
        var items = ContentFiles.Installed()
        items.parsers = [ItemFile(path: path, stage: "s01-parse")]
        items.postoverflows = [ItemFile(path: path, stage: "s00-enrich")]
        items.scenarios = [ItemFile(path: path)]
        items.contexts = [ItemFile(path: path)]
        var loader = ContentLoader(patternDirectory: "/nonexistent", dataDirectory: "/nonexistent")
        let content = loader.load(items)
        let worker = Worker(content, observer: nil)
        for _ in 0..<3 { worker.process(input, from: origin, at: Timestamp(seconds: 1_780_000_000)) }
        unlink(path)
    }
}

/// First line: the acquisition's `type`; the rest: lines of its log.
private final class LineEntry: Entry {
    private let worker: Worker
    private var origins: [String: LineOrigin] = [:]
    private var second: Int64 = 1_780_000_000

    /// Content: the hub at `CROWD_FUZZ_HUB`, with the data files of `CROWD_FUZZ_DATA`; otherwise the starter content.
    init() {
        func path(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        let deploy = (path("CROWD_FUZZ_ROOT") ?? ".") + "/deploy"
        let mirror = path("CROWD_FUZZ_DATA") ?? deploy + "/var/lib/crowdsec/data"
        let folder = path("CROWD_FUZZ_HUB") ?? deploy + "/etc/crowdsec"
        var loader = ContentLoader(patternDirectory: deploy + "/etc/crowdsec/patterns", dataDirectory: mirror)
        loader.resolveData = { url, name in
            let rest = url.split(separator: "/").dropFirst(2).joined(separator: "/")
            return mirror + "/" + (rest.isEmpty ? name : rest)
        }
        worker = Worker(loader.load(LineEntry.items(folder)), observer: nil, bucketCeiling: 5_000)
    }

    private static func items(_ root: String) -> ContentFiles.Installed {
        func files(_ folder: String) -> [String] {
            ContentFiles.entries(root + "/" + folder).sorted().flatMap { entry -> [String] in
                let path = folder + "/" + entry
                if entry.hasSuffix(".yaml") { return [path] }
                return entry.contains(".") ? [] : files(path)
            }
        }
        func staged(_ folder: String) -> [ItemFile] {
            files(folder).map { ItemFile(path: root + "/" + $0, stage: String($0.split(separator: "/")[1])) }
                .sorted { ($0.stage, $0.path) < ($1.stage, $1.path) }
        }
        var items = ContentFiles.Installed()
        items.parsers = staged("parsers").filter { !$0.path.contains("whitelist") }
        items.postoverflows = staged("postoverflows")
        items.scenarios = files("scenarios").map { ItemFile(path: root + "/" + $0) }
        items.contexts = files("contexts").map { ItemFile(path: root + "/" + $0) }
        return items
    }

    func take(_ input: ByteSlice) {
        let (name, lines) = input.firstLine
        let origin = origin(String(name))
        second += 1
        for line in lines.buffer.split(separator: 10) {
            worker.process(
                ByteSlice(UnsafeBufferPointer(rebasing: line)), from: origin, at: Timestamp(seconds: second))
        }
        worker.sweep(at: Timestamp(seconds: second))
    }

    private func origin(_ type: String) -> LineOrigin {
        if let known = origins[type] { return known }
        // Origins are made once per data source, and never freed.
        let isNew = origins.count < 1_000
        let origin = LineOrigin(
            source: "fuzz", module: "file", labels: [("type", isNew ? type : "syslog")], isReplay: type.count % 2 == 0)
        if isNew { origins[type] = origin }
        return origin
    }
}

/// What clients, servers and programs send: alerts and other JSON, XML, key-value text, dates, durations, addresses.
private final class WireEntry: Entry {
    private let readers: [Program]
    private let machine: Machine

    init() {
        var environment = Environment(functions: CrowdSecFunctions.all())
        environment.declareEvent()
        machine = Machine(event: Event(keys: environment.keys))
        let raw = "evt.Line.Raw"
        readers = [
            "XMLGetNodeValue(\(raw), '/Event/System[1]/EventID')", "XMLGetNodeValue(\(raw), '//a[@b=\"c\"]/..')",
            "XMLGetAttributeValue(\(raw), '/a[2]/b', 'c')", "JsonExtract(\(raw), 'a.b[0].c')",
            "JsonExtractUnescape(\(raw), 'a')", "JsonExtractSlice(\(raw), 'a')", "JsonExtractObject(\(raw), 'a')",
            "UnmarshalJSON(\(raw), evt.Unmarshaled, 'j')", "ParseKV(\(raw), evt.Unmarshaled, 'k')",
            "ParseKVLax(\(raw), evt.Unmarshaled, 'l')", "ParseUri(\(raw))", "ParseQuery(\(raw))",
            "ExtractQueryParam(\(raw), 'a')", "B64Decode(\(raw))", "fromBase64(\(raw))", "fromJSON(\(raw))",
            "duration(\(raw))", "date(\(raw))", "Sprintf(\(raw), 1, 'a', [1.5], nil)", "Match(\(raw), 'abcabcabc')",
            "int(\(raw))", "float(\(raw))", "Atof(\(raw))", "ParseUnix(\(raw))", "QueryUnescape(\(raw))",
            "IpToRange(\(raw), \(raw))", "split(\(raw), 'a')", "ToJsonString(evt.Unmarshaled)",
        ].compactMap { try? Program($0, in: environment) }
    }

    func take(_ input: ByteSlice) {
        readAlerts(input.buffer)
        machine.event.reset()
        machine.event.line.raw = input
        for reader in readers {
            if let value = try? reader.value(on: machine) { _ = try? ValueJSON.text(value, escapingHTML: true) }
        }
        let (text, rest) = (String(input.firstLine.0), input.firstLine.1)
        _ = IPAddress(text)
        if let range = IPRange(text) { _ = IPRange("\(range)") }
        if let span = GoDuration(text, allowingDays: true) { _ = GoDuration(span.description)?.roundedToSeconds }
        if let time = Timestamp(rfc3339: text) { _ = (time.rfc3339Nano, time.goString, time.sqlite, time.httpDate) }
        if let time = GoLayout(text).parse(rest) { _ = time.rfc3339Nano }
        _ = try? YAML.documents(Array(input.buffer), file: "fuzz")
    }

    /// What was read and written is read again as the same.
    private func readAlerts(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard let alerts = try? Alert.list(from: bytes, strict: false) else { return }
        for alert in alerts {
            var writer = JSONWriter()
            writer.beginArray()
            alert.write(to: &writer)
            writer.endArray()
            guard let again = try? Alert.list(from: writer.bytes, strict: false), again.count == 1, again[0] == alert
            else {
                print("An alert does not survive: \(String(decoding: writer.bytes, as: UTF8.self))")
                abort()
            }
        }
    }
}
