import CrowdCore
import HTTPTypes

/// A route: method, pattern, who may call it, and what it does.
struct Route: Sendable {
    enum Access: Sendable { case anyone, machine, bouncer, machineOrBouncer, machineUnlessKey }

    var methods: [HTTPRequest.Method]
    /// Segments that begin with `:` match one segment and name it.
    var pattern: String
    var access: Access
    /// Largest body, inflated.
    var maxBodyBytes = 50 << 20
    var handle: @Sendable (LocalAPI, Call) async throws -> Reply
}

/// Finds the route of a path as the reference's router does: raw segments are compared, then unescaped.
struct RouteTable: Sendable {
    enum Match {
        case route(Route, parameters: [String: String])
        /// The path with its trailing slash removed is a route of that method.
        case redirect(String)
        /// With those that there are.
        case wrongMethod([HTTPRequest.Method])
        case unknown
    }

    private let routes: [(segments: [String], route: Route)]

    init(_ routes: [Route]) {
        self.routes = routes.map { (Self.segments($0.pattern), $0) }
    }

    func match(_ method: HTTPRequest.Method, _ path: String) -> Match {
        let segments = Self.segments(path)
        var methods: [HTTPRequest.Method] = []
        // Fixed segments win over named ones: they stand first in the table.
        for (pattern, route) in routes {
            guard let parameters = Self.parameters(segments, pattern) else { continue }
            if route.methods.contains(method) { return .route(route, parameters: parameters) }
            methods += route.methods
        }
        if !methods.isEmpty { return .wrongMethod(methods) }
        guard path.count > 1, path.hasSuffix("/"), !path.hasSuffix("//") else { return .unknown }
        let shorter = String(path.dropLast())
        let isRoute = routes.contains {
            $0.route.methods.contains(method) && Self.parameters(Self.segments(shorter), $0.segments) != nil
        }
        return isRoute ? .redirect(shorter) : .unknown
    }

    private static func segments(_ path: String) -> [String] {
        path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map { String($0) }
    }

    private static func parameters(_ segments: [String], _ pattern: [String]) -> [String: String]? {
        guard segments.count == pattern.count else { return nil }
        var parameters: [String: String] = [:]
        for (segment, part) in zip(segments, pattern) {
            if part.hasPrefix(":") {
                guard !segment.isEmpty, let value = PercentEncoding.decode(segment.utf8) else { return nil }
                parameters[String(part.dropFirst())] = value
            } else if segment != part {
                return nil
            }
        }
        return parameters
    }
}
