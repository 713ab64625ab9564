import CrowdCore
import CrowdStore
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// Takes a request through routing, authentication, body and route, and counts and logs what came of it.
struct LAPIResponder: HTTPResponder {
    typealias Context = ConnectionContext

    let api: LocalAPI
    /// Of this listener: client certificates exist only with it.
    var tls: ServerTLS?
    /// Whose clients have no addresses; elsewhere one without has hung up before its connection was accepted.
    var isLocalSocket = false

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        let started = ContinuousClock.now
        // Who is gone already is told nothing, and nothing is done for whom we do not know.
        guard let client = client(of: request, context) else { return Response(status: .badRequest) }
        // Asked of the server, not of a resource (RFC 9110, 9.3.7); Go's answers it ahead of all routes.
        if request.method == .options, request.head.path == "*" { return Response(status: .ok) }
        var visit = Visit(request: request, client: client)
        let reply = await reply(to: request, context, &visit)
        let seconds = (ContinuousClock.now - started).seconds
        visit.log(reply.status, seconds: seconds, api)
        if visit.route != "/health" {
            api.metrics.count(visit.route, request.method.rawValue, visit.caller, seconds: seconds)
        }
        return reply.response(isHead: request.method == .head)
    }

    private func client(of request: Request, _ context: ConnectionContext) -> IPAddress? {
        if isLocalSocket { return ServerSettings.loopback }
        return context.peer.map { peer in
            api.settings.client(
                peer: peer, forwardedFor: request.headers[values: .xForwardedFor], realIP: request.headers[.xRealIP])
        }
    }

    private func reply(to request: Request, _ context: ConnectionContext, _ visit: inout Visit) async -> Reply {
        let (path, query) = request.pathAndQuery
        switch RouteTable.localAPI.match(request.method, String(path)) {
        case .unknown: return .empty(404)
        case .wrongMethod(let methods):
            var reply = Reply.empty(405)
            reply.headers[.allow] = methods.map(\.rawValue).joined(separator: ", ")
            return reply
        case .redirect(let target):
            var reply = Reply.empty(request.method == .get ? 301 : 307)
            reply.headers[.location] = query.isEmpty ? target : "\(target)?\(query)"
            return reply
        case .route(let route, let parameters):
            visit.route = route.pattern
            do {
                var call = Call(
                    method: request.method, parameters: parameters, query: QueryParameters(query),
                    headers: request.headers, body: [], client: visit.client,
                    caller: .anyone, now: .now())
                let certificate = await certificate(of: context, on: route, now: call.now)
                call.caller = try await api.authenticate(
                    route.access, request.headers, client: visit.client, certificate: certificate, isHead: call.isHead,
                    now: call.now)
                visit.caller = call.caller
                var share = BodyShare(route.access == .anyone ? api.strangersBodies : api.bodies)
                defer { share.giveBack() }
                call.body = try await Self.body(
                    of: request, limit: route.maxBodyBytes, &share, isLogin: visit.isLogin)
                if call.body.count > Self.largeBody { api.largeBodies.store(true, ordering: .relaxed) }
                return try await route.handle(api, call)
            } catch {
                return failure(error, visit)
            }
        }
    }

    /// The client certificate where it counts: machines' tokens say enough.
    private func certificate(of context: ConnectionContext, on route: Route, now: Timestamp) async -> CertificateName? {
        guard let tls, route.access != .machine, let der = await context.certificate() else { return nil }
        var name = CertificateName(der: der)
        if await !tls.revocation.admits(der, now: now) { name.isRevoked = true }
        return name
    }

    private func failure(_ error: any Error, _ visit: Visit) -> Reply {
        switch error {
        case let failure as Failure: return Reply(failure)
        case let error as StoreError:
            api.health.met(error)
            api.failureLog.error(
                "Request failed in the database. route=\(visit.route) error=\(error)", to: api.logger)
            return Reply(Failure(error))
        default:
            api.failureLog.error("Request failed. route=\(visit.route) error=\(error)", to: api.logger)
            return .empty(500)
        }
    }

    /// Bytes of a body from which what it took while it was read is given back to the system.
    private static let largeBody = 1 << 20

    /// The whole body, inflated, within the limit.
    private static func body(
        of request: Request, limit: Int, _ share: inout BodyShare, isLogin: Bool
    ) async throws -> [UInt8] {
        guard request.method != .get && request.method != .head else { return [] }
        let tooLarge = isLogin ? Failure.unauthorized("missing: \(Failure.tooLarge.message)") : .tooLarge
        var bytes: [UInt8]
        do {
            var buffer = ByteBuffer()
            for try await var piece in request.body {
                guard buffer.readableBytes + piece.readableBytes <= limit else { throw tooLarge }
                try share.add(piece.readableBytes)
                buffer.writeBuffer(&piece)
            }
            bytes = Array(buffer: buffer)
        } catch let failure as Failure {
            throw failure
        } catch let error as HTTPParserError where error != .invalidEOFState {
            throw isLogin ? Failure.unauthorized("missing: invalid chunk") : .badRequest("invalid chunk")
        } catch {
            // The client hung up, or we are stopping: in doubt it is to be sent again.
            throw Failure.server("unexpected EOF")
        }
        guard let encoding = request.headers[.contentEncoding], encoding.lowercased() == "gzip" else { return bytes }
        do {
            let compressed = bytes
            bytes =
                compressed.count < BackgroundWork.compressedBytes
                ? try Gunzip.inflate(compressed, limit: limit)
                : try await BackgroundWork.run { try Gunzip.inflate(compressed, limit: limit) }
        } catch {
            throw error as? Gunzip.Refusal == .tooLarge ? tooLarge : .badRequest("gzip: invalid header")
        }
        try share.add(bytes.count)
        return bytes
    }
}

extension Request {
    /// Split as they came, nothing unescaped.
    fileprivate var pathAndQuery: (path: Substring, query: Substring) {
        let target = (head.path ?? "/")[...]
        guard let mark = target.firstIndex(of: "?") else { return (target, "") }
        return (target[..<mark], target[target.index(after: mark)...])
    }
}

extension HTTPField.Name {
    fileprivate static let xForwardedFor = Self("X-Forwarded-For") ?? .via
    fileprivate static let xRealIP = Self("X-Real-Ip") ?? .via
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
