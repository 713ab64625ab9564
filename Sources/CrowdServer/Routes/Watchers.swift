import CrowdCore
import CrowdStore
import HTTPTypes

/// Machines: registering, logging in, living (protocol facts A.3).
extension LocalAPI {
    // MARK: POST /v1/watchers

    func register(_ call: Call) async throws -> Reply {
        let settings = settings
        if settings.disablesRemoteRegistration && !ServerSettings.isLoopback(call.client) { throw Failure.forbidden() }
        let request = try await BackgroundWork.run(on: call.body) { try RegistrationRequest($0) }
        let isValidated = try settings.validates(request.registrationToken, from: call.client)
        let hash = try await registrations.pass {
            try await BackgroundWork.run { PasswordHash.make(request.password) }
        }
        guard let hash else { throw Failure.badRequest("unable to hash") }
        var machine = MachineRecord(machineID: request.machineID, passwordHash: hash)
        machine.ipAddress = call.client.description
        machine.isValidated = isValidated
        try await insert(machine, at: call.now)
        return .empty(isValidated ? 202 : 201)
    }

    private func insert(_ machine: MachineRecord, at now: Timestamp) async throws {
        let clients = clients
        let outcome = await store.outcome(
            of: { session throws(StoreError) in try MachineQueries.insert(machine, at: now, in: session) },
            afterCommit: { clients.add($0) })
        guard case .failure(let error) = outcome else { return }
        guard error.kind == .constraint else { throw error }
        throw Failure.forbidden("user '\(machine.machineID)': user already exist")
    }

    // MARK: POST /v1/watchers/login

    func logIn(_ call: Call) async throws -> Reply {
        let (request, machineID) = try await identify(call)
        // The reference stores what stands behind the only slash, and lets nobody in without it.
        let agent = call.userAgent.split(separator: "/", omittingEmptySubsequences: false)
        guard agent.count == 2 else { throw Failure.unauthorized("incorrect Username or Password") }
        clients.touchMachine(machineID) { machine in
            if !request.scenarios.isEmpty { machine.scenarios = request.scenarios.joined(separator: ",") }
            machine.version = String(agent[1])
            machine.ipAddress = call.client.description
            machine.updatedAt = call.now
        }
        return Self.tokenReply(tokens.issue(machineID, now: call.now))
    }

    /// Whom a login names, after its certificate or password has been found right.
    private func identify(_ call: Call) async throws -> (request: LoginRequest, machineID: String) {
        guard case .certificate(let name) = call.caller else {
            let request = try await BackgroundWork.run(on: call.body) { try LoginRequest($0, needsPassword: true) }
            try await checkPassword(request)
            return (request, request.machineID)
        }
        guard name.isIn(settings.agentsAllowedOU) else { throw Failure.unauthorized("access forbidden") }
        let request = try await BackgroundWork.run(on: call.body) { try LoginRequest($0, needsPassword: false) }
        let machineID = "\(name.commonName)@\(call.client)"
        try await ensureCertificateMachine(machineID, call)
        return (request, machineID)
    }

    private func checkPassword(_ request: LoginRequest) async throws {
        if clients.machine(request.machineID)?.isValidated != true { await refreshUnknownClients() }
        guard let machine = clients.machine(request.machineID) else {
            throw Failure.unauthorized("ent: machine not found")
        }
        guard machine.isValidated else { throw Failure.unauthorized("machine \(request.machineID) not validated") }
        guard machine.authType == "password" else {
            throw Failure.unauthorized(
                "machine \(request.machineID) attempted to auth with password but it is configured to use tls")
        }
        guard try await isRight(request, for: machine) else {
            throw Failure.unauthorized("incorrect Username or Password")
        }
    }

    /// A password that memory does not know may be a moment old: `cscli machines add --force` writes it into the database.
    private func isRight(_ request: LoginRequest, for machine: MachineRecord) async throws -> Bool {
        func matches(_ hash: String) async throws -> Bool {
            try await logins.pass {
                try await BackgroundWork.run { PasswordHash.check(request.password, against: hash) }
            }
        }
        if try await matches(machine.passwordHash) { return true }
        await refreshUnknownClients()
        guard let fresh = clients.machine(request.machineID), fresh.isValidated,
            fresh.passwordHash != machine.passwordHash
        else { return false }
        return try await matches(fresh.passwordHash)
    }

    private func ensureCertificateMachine(_ id: String, _ call: Call) async throws {
        if let known = clients.machine(id) {
            guard known.authType == "tls" else {
                throw Failure.unauthorized(
                    "machine \(id) attempted to auth with TLS but it is configured to use password")
            }
            return
        }
        var machine = MachineRecord(machineID: id, passwordHash: SecureRandom.uuid())
        (machine.authType, machine.isValidated) = ("tls", true)
        machine.ipAddress = call.client.description
        try await insert(machine, at: call.now)
    }

    // MARK: Other routes

    /// A token could be kept alive for ever by refreshing it: its machine must still be there.
    func refreshToken(_ call: Call) async throws -> Reply {
        let claims = try tokens.check(try Self.bearerToken(call.headers), now: call.now, isRefresh: true)
        if clients.machine(claims.machineID)?.isValidated != true { await refreshUnknownClients() }
        guard let machine = clients.machine(claims.machineID) else {
            throw Failure.unauthorized("ent: machine not found")
        }
        guard machine.isValidated else { throw Failure.unauthorized("machine \(claims.machineID) not validated") }
        return Self.tokenReply(tokens.issue(claims.machineID, now: call.now))
    }

    func deleteSelf(_ call: Call) async throws -> Reply {
        guard case .machine(let id) = call.caller else { throw Failure.forbidden() }
        let clients = clients
        let isDeleted = try await store.write(
            { session throws(StoreError) in try MachineQueries.delete(id, in: session) },
            afterCommit: { _ in clients.removeMachine(id) })
        guard isDeleted else { throw Failure.server("'\(id)' does not exist") }
        return .empty(204)
    }

    func heartbeat(_ call: Call) -> Reply {
        if case .machine(let id) = call.caller { clients.touchMachine(id) { $0.lastHeartbeat = call.now } }
        return .empty(200)
    }

    private static func tokenReply(_ issued: (token: String, expires: Timestamp)) -> Reply {
        .json { writer in
            writer.beginObject()
            writer.member("code", 200)
            writer.member("expire", issued.expires.rfc3339)
            writer.member("token", issued.token)
            writer.endObject()
        }
    }

}

extension ServerSettings {
    /// Whether a registration with this token is validated at once; throws when the token is wrong.
    fileprivate func validates(_ token: String?, from client: IPAddress) throws(Failure) -> Bool {
        guard autoRegistration.enabled, let token, !token.isEmpty else { return false }
        guard Digest.equal(Array(token.utf8), Array(autoRegistration.token.utf8)) else {
            throw Failure(status: 401, message: "invalid token for auto registration")
        }
        guard autoRegistration.allowedRanges.contains(where: { $0.contains(client) }) else {
            throw Failure(status: 401, message: "IP not in allowed range for auto registration")
        }
        return true
    }
}
