/// A question to a web server.
public struct WebQuestion: Sendable, Equatable {
    public var method: String
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]?

    public init(
        _ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: [UInt8]? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    public static func == (a: Self, b: Self) -> Bool {
        a.method == b.method && a.url == b.url && a.body == b.body
            && a.headers.elementsEqual(b.headers) { $0 == $1 }
    }
}

/// An answer of any status.
public struct WebAnswer: Sendable {
    public var status: Int
    /// Names in lower case.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The last value of a header, whatever the case of its name.
    public subscript(_ name: String) -> String? { headers.last { $0.name == name.lowercased() }?.value }
    public var isSuccess: Bool { (200..<300).contains(status) }
    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// Asking web servers from an expression: what it may cost is up to whoever hands it out.
public protocol WebAccess: Sendable {
    /// Waits for the answer on the calling thread.
    func ask(_ question: WebQuestion) throws(ValueError) -> WebAnswer
}
