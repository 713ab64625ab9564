import CrowdCore
import CrowdStore

/// A request refused with a status and the text clients know (protocol facts A, H); inner detail stays in our log.
struct Failure: Error, Equatable {
    var status: Int
    var message: String
    /// JWT failures repeat the status in the body.
    var repeatsStatus = false

    static func badRequest(_ message: String) -> Failure { Failure(status: 400, message: message) }
    static func unauthorized(_ message: String) -> Failure {
        Failure(status: 401, message: message, repeatsStatus: true)
    }
    /// A token that no server of CrowdSec's makes.
    static func wrongToken(_ message: String) -> Failure {
        Failure(status: 400, message: message, repeatsStatus: true)
    }
    static func forbidden(_ message: String = "access forbidden") -> Failure { Failure(status: 403, message: message) }
    static func narrowScope(of machineID: String, to action: String) -> Failure {
        .forbidden("machine '\(machineID)' may only submit alerts: it may not \(action)")
    }
    static func invalid(_ message: String) -> Failure { Failure(status: 422, message: message) }
    static func server(_ message: String) -> Failure { Failure(status: 500, message: message) }

    static let notFound = Failure(status: 404, message: "object not found")
    static let tooLarge = Failure.badRequest("http: request body too large")
    static let tooMuch = Failure(status: 503, message: "too many large requests at once")
    static let tooSlow = Failure(status: 408, message: "request body not received in time")

    /// What a client may know of a database failure.
    init(_ error: StoreError) {
        self.init(status: 500, message: error.kind == .closed ? "shutting down" : "unable to access the database")
    }

    init(status: Int, message: String, repeatsStatus: Bool = false) {
        self.status = status
        self.message = message
        self.repeatsStatus = repeatsStatus
    }

    /// Values in the body of a request; the largest real ones have some thousands.
    static let mostValues = 250_000

    /// A body as JSON.
    static func json(_ body: [UInt8], as refusal: (JSONError) -> Failure = { .badRequest($0.description) })
        throws(Failure) -> JSON
    {
        try parsing(as: refusal) { () throws(JSONError) in try JSON.parse(body, maxValues: mostValues) }
    }

    /// Runs a parser; what it refuses is a 400 with its own words, unless said otherwise.
    static func parsing<Value>(
        as refusal: (JSONError) -> Failure = { .badRequest($0.description) }, _ parse: () throws(JSONError) -> Value
    ) throws(Failure) -> Value {
        do { return try parse() } catch { throw refusal(error) }
    }
}
