import CrowdCore
import Logging
import Synchronization

/// Whether client certificates have been revoked (protocol facts A.2.3).
///
/// (1) Every certificate of the chain but the root is looked up: at the OCSP responders it names, and in the lists of
///     `crl_path` that its issuer signed. One word of `revoked` is enough to be refused.
/// (2) What could not be asked is not held against a client. But where there are lists, the issuer must be known
///     (`ca_cert_path`), or nobody could say whose lists count: that client is refused.
/// (3) A verdict holds for `cache_expiration`, one that could not be had for ten seconds; a new list or authority ends
///     them all.
final class RevocationCheck: Sendable {
    private struct State {
        var lists: RevocationLists?
        var authorities: [UInt8]
        var verdicts: [[UInt8]: (isAdmitted: Bool, until: Timestamp)] = [:]
        var lifetime: GoDuration
    }

    private enum Finding { case good, revoked, unasked }

    private static let maxVerdicts = 20_000
    private static let pause = GoDuration.seconds(10)

    private let state: Mutex<State>
    private let logger: Logger

    /// - Throws: when a file cannot be read.
    init(_ config: LAPITLSConfig, logger: Logger) throws(ConfigError) {
        self.logger = logger
        state = Mutex(try Self.read(config))
    }

    /// Takes over new files; when they cannot be used the old ones stay.
    func reload(_ config: LAPITLSConfig) throws(ConfigError) {
        let fresh = try Self.read(config)
        state.withLock { $0 = fresh }
    }

    private static func read(_ config: LAPITLSConfig) throws(ConfigError) -> State {
        var lists: RevocationLists?
        if let path = config.crlPath { lists = try RevocationLists(path: path) }
        var authorities: [UInt8] = []
        if let path = config.caPath { authorities = try FileContents.read(path) }
        return State(lists: lists, authorities: authorities, lifetime: config.cacheExpiration)
    }

    /// Whether a client with this certificate (DER), verified before, may go on.
    func admits(_ certificate: [UInt8], now: Timestamp) async -> Bool {
        let key = Digest.sha256(certificate)
        let (known, lists, authorities) = state.withLock { ($0.verdicts[key], $0.lists, $0.authorities) }
        if let known, known.until > now { return known.isAdmitted }
        let chain = CertificateChain(certificate, bundle: authorities)
        guard lists == nil || chain.isComplete else {
            logger.warning("Client certificate refused: its issuer is not in ca_cert_path, so no list can be checked.")
            remember(key, isAdmitted: false, until: now + Self.pause)
            return false
        }
        var isCertain = true
        for link in chain.links {
            switch await finding(on: link.subject, issuedBy: link.issuer, lists) {
            case .good: break
            case .unasked: isCertain = false
            case .revoked:
                logger.warning("Client certificate refused: it is revoked. name=\(Self.name(of: certificate))")
                remember(key, isAdmitted: false, until: now + state.withLock { $0.lifetime })
                return false
            }
        }
        remember(key, isAdmitted: true, until: now + (isCertain ? state.withLock { $0.lifetime } : Self.pause))
        return true
    }

    private static func name(of certificate: [UInt8]) -> String { CertificateName(der: certificate).commonName }

    private func remember(_ key: [UInt8], isAdmitted: Bool, until: Timestamp) {
        state.withLock { state in
            if state.verdicts.count >= Self.maxVerdicts { state.verdicts.removeAll() }
            state.verdicts[key] = (isAdmitted, until)
        }
    }

    private func finding(on subject: [UInt8], issuedBy issuer: [UInt8], _ lists: RevocationLists?) async -> Finding {
        let authorities = state.withLock { $0.authorities }
        let online = await askOnline(about: subject, issuedBy: issuer, authorities)
        if online == .revoked { return .revoked }
        if let lists {
            let (verdict, isOutdated) = lists.verdict(on: subject, issuedBy: issuer)
            if isOutdated { logger.warning("A certificate revocation list is outdated, or not yet valid.") }
            if verdict == .revoked { return .revoked }
        }
        return online
    }

    /// Asks one responder after the other until one knows; good when the certificate names none.
    private func askOnline(
        about subject: [UInt8], issuedBy issuer: [UInt8], _ authorities: [UInt8]
    ) async -> Finding {
        let responders = StatusProtocol.responders(of: subject)
        guard !responders.isEmpty, let request = StatusProtocol.request(about: subject, issuedBy: issuer) else {
            return responders.isEmpty ? .good : .unasked
        }
        for responder in responders {
            let client = ResponderClient(responder, body: request, authorities: authorities)
            guard let answer = await client?.answer() else {
                logger.warning("OCSP responder gives no answer. responder=\(responder)")
                continue
            }
            switch StatusProtocol.verdict(of: answer, on: subject, issuedBy: issuer) {
            case .good: return .good
            case .revoked: return .revoked
            case .unknown, .unusable: logger.warning("OCSP responder does not know. responder=\(responder)")
            }
        }
        return .unasked
    }
}
