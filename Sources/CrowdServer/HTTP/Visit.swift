import CrowdCore
import HTTPTypes
import Hummingbird
import Logging

/// What the access log and the metrics need of one request.
struct Visit {
    let method: String
    let target: String
    let userAgent: String
    let client: IPAddress
    var route = "invalid-endpoint"
    var caller = Caller.anyone

    init(request: Request, client: IPAddress) {
        method = request.method.rawValue
        target = request.head.path ?? "/"
        userAgent = request.headers[.userAgent] ?? ""
        self.client = client
    }

    var isLogin: Bool { route == "/v1/watchers/login" }

    /// `ip - [time] "METHOD path proto status latency "user-agent" error"`, with control bytes taken out.
    func log(_ status: Int, seconds: Double, _ api: LocalAPI) {
        guard api.accessLogger.logLevel <= .info else { return }
        let latency = GoDuration(nanoseconds: Int64(seconds * 1e9))
        let line =
            "\(client) - [\(Timestamp.now().httpDate)] \"\(method) \(Self.clean(target)) HTTP/1.1 \(status) "
            + "\(latency) \"\(Self.clean(userAgent))\" \""
        api.accessLogger.info("\(line)")
    }

    /// Requests are written by strangers: no line breaks, no escape sequences, no novels.
    private static func clean(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(512).map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
    }
}
