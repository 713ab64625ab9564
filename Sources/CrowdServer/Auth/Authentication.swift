import CrowdCore
import CrowdStore
import HTTPTypes
import Logging

/// Finds out who is asking (protocol facts A.2). A client certificate is judged before anything else.
extension LocalAPI {
    func authenticate(
        _ access: Route.Access, _ headers: HTTPFields, client: IPAddress, certificate: CertificateName?, isHead: Bool,
        now: Timestamp
    ) async throws -> Caller {
        switch access {
        case .anyone: return certificate.map { .certificate($0) } ?? .anyone
        case .machine: return try machine(headers, now: now)
        case .bouncer:
            return .bouncer(
                try await bouncer(headers, client: client, certificate: certificate, isHead: isHead, now: now))
        case .machineOrBouncer, .machineUnlessKey:
            return try await authenticate(
                Self.isMachine(headers, access, certificate) ? .machine : .bouncer, headers, client: client,
                certificate: certificate, isHead: isHead, now: now)
        }
    }

    /// What a caller says it is, where both kinds may come. Who says nothing is a bouncer where the reference takes it for
    /// one, and a machine where it lets only those in.
    private static func isMachine(_ headers: HTTPFields, _ access: Route.Access, _ certificate: CertificateName?)
        -> Bool
    {
        if headers[keyField] != nil { return false }
        if headers[.authorization] != nil || (headers[.userAgent] ?? "").hasPrefix("crowdsec/") { return true }
        return access == .machineUnlessKey && certificate == nil
    }

    // MARK: Machines

    private func machine(_ headers: HTTPFields, now: Timestamp) throws(Failure) -> Caller {
        let token = try Self.bearerToken(headers)
        if let known = verifiedTokens.machine(of: token, at: now.seconds) { return .machine(known) }
        let claims = try tokens.check(token, now: now)
        verifiedTokens.add(token, claims)
        return .machine(claims.machineID)
    }

    /// The token of the `Authorization` header, else of a cookie named `jwt`.
    static func bearerToken(_ headers: HTTPFields) throws(Failure) -> String {
        let header = headers.first(.authorization)
        if let header, header.hasPrefix("Bearer ") { return String(header.dropFirst("Bearer ".count)) }
        for cookie in (headers[.cookie] ?? "").split(separator: ";") {
            let trimmed = cookie.drop { $0 == " " }
            if trimmed.hasPrefix("jwt=") { return String(trimmed.dropFirst("jwt=".count)) }
        }
        throw .unauthorized(header == nil ? "cookie token is empty" : "auth header is invalid")
    }

    /// - Throws: 403 when the machine may only submit alerts (docs/protocol-extensions.md).
    func requireFullScope(_ call: Call, to action: String) throws(Failure) {
        guard case .machine(let id) = call.caller, clients.scope(of: id) != .full else { return }
        throw .narrowScope(of: id, to: action)
    }

    // MARK: Bouncers

    private static let keyField = HTTPField.Name("X-Api-Key") ?? .authorization

    private func bouncer(
        _ headers: HTTPFields, client: IPAddress, certificate: CertificateName?, isHead: Bool, now: Timestamp
    ) async throws -> BouncerIdentity {
        let row: BouncerRecord
        if let certificate {
            row = try await bouncer(certificate, client: client, now: now)
        } else {
            row = try await bouncer(key: headers.first(Self.keyField), client: client, isHead: isHead, now: now)
        }
        if !isHead {
            let (type, version) = Self.product(headers[.userAgent] ?? "")
            clients.touchBouncer(row.id) { bouncer in
                (bouncer.type, bouncer.version) = (type, version)
                bouncer.ipAddress = client.description
            }
        }
        return BouncerIdentity(id: row.id, name: row.name)
    }

    private func bouncer(key: String?, client: IPAddress, isHead: Bool, now: Timestamp) async throws -> BouncerRecord {
        guard let key, !key.isEmpty else { throw Failure.forbidden() }
        let hash = BouncerRecord.hash(ofKey: key)
        var verdict = clients.judge(keyHash: hash, client: client.description, isHead: isHead)
        if case .refused = verdict {
            await refreshUnknownClients()
            verdict = clients.judge(keyHash: hash, client: client.description, isHead: isHead)
        }
        switch verdict {
        case .known(let row): return row
        case .refused: throw Failure.forbidden()
        case .newAddress(let row): return try await insert(row, now: now)
        }
    }

    private func bouncer(_ certificate: CertificateName, client: IPAddress, now: Timestamp) async throws
        -> BouncerRecord
    {
        guard certificate.isIn(settings.bouncersAllowedOU) else { throw Failure.forbidden() }
        let name = "\(certificate.commonName)@\(client)"
        if let known = clients.bouncer(named: name) {
            guard known.authType == "tls" else { throw Failure.forbidden() }
            return known
        }
        let key = Base64.encode(SecureRandom.bytes(54))
        var row = BouncerRecord(name: name, keyHash: BouncerRecord.hash(ofKey: key))
        (row.authType, row.isAutoCreated, row.ipAddress) = ("tls", true, client.description)
        return try await insert(row, now: now)
    }

    /// Two first requests of one client may race: the loser finds the winner's row.
    private func insert(_ row: BouncerRecord, now: Timestamp) async throws -> BouncerRecord {
        let clients = clients
        let find: @Sendable (any SQLSession) throws(StoreError) -> BouncerRecord? = { session throws(StoreError) in
            try BouncerQueries.find(row.name, in: session)
        }
        do {
            return try await store.write(
                { session throws(StoreError) in
                    if let known = try find(session) { return known }
                    return try BouncerQueries.insert(row, at: now, in: session)
                },
                afterCommit: { clients.add($0) })
        } catch {
            // Another replica may have been faster.
            if error.kind == .constraint, let known = try await store.read(find) {
                clients.add(known)
                return known
            }
            logger.error("Bouncer could not be added. name=\(row.name) error=\(error)")
            throw Failure.forbidden()
        }
    }

    /// `type/version` of a user agent; anything else is all type.
    static func product(_ userAgent: String) -> (type: String, version: String) {
        let parts = userAgent.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 2 ? (String(parts[0]), String(parts[1])) : (userAgent, "N/A")
    }
}

extension HTTPFields {
    /// Of a field that came several times the first counts.
    fileprivate func first(_ name: HTTPField.Name) -> String? { self[values: name].first }
}
