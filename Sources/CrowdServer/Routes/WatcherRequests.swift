import CrowdCore

/// Body of `POST /v1/watchers`.
struct RegistrationRequest: Sendable {
    var machineID: String
    var password: String
    var registrationToken: String?

    /// Strangers may register, and each machine stays in memory: the reference, which knows no limit, makes names of 48.
    private static let longestID = 255

    init(_ body: [UInt8]) throws(Failure) {
        let json = try Failure.json(body)
        if let problem = json.typeProblem(strings: ["machine_id", "password", "registration_token"]) {
            throw .badRequest(problem)
        }
        var missing: [String] = []
        machineID = json["machine_id"]?.string ?? ""
        password = json["password"]?.string ?? ""
        registrationToken = json["registration_token"]?.string
        if json["machine_id"]?.string == nil { missing.append("machine_id in body is required") }
        if json["password"]?.string == nil { missing.append("password in body is required") }
        if machineID.utf8.count > Self.longestID {
            missing.append("machine_id in body should be at most \(Self.longestID) chars long")
        }
        if let token = registrationToken, !token.isEmpty {
            if token.utf8.count < 32 {
                missing.append("registration_token in body should be at least 32 chars long")
            } else if token.utf8.count > 255 {
                missing.append("registration_token in body should be at most 255 chars long")
            }
        }
        guard missing.isEmpty else {
            throw .invalid("validation failure list:\n" + missing.joined(separator: "\n"))
        }
    }
}

/// Body of `POST /v1/watchers/login`. All that is wrong with it is 401.
struct LoginRequest: Sendable {
    var machineID: String
    var password: String
    var scenarios: [String]

    init(_ body: [UInt8], needsPassword: Bool) throws(Failure) {
        let json = try Failure.json(body) { .unauthorized("missing: \($0)") }
        if let problem = json.typeProblem(strings: ["machine_id", "password"], lists: ["scenarios"]) {
            throw .unauthorized("missing: \(problem)")
        }
        machineID = json["machine_id"]?.string ?? ""
        password = json["password"]?.string ?? ""
        scenarios = json["scenarios"]?.array?.compactMap(\.string) ?? []
        guard needsPassword else { return }
        var missing: [String] = []
        if json["machine_id"]?.string == nil { missing.append("machine_id in body is required") }
        if json["password"]?.string == nil { missing.append("password in body is required") }
        guard missing.isEmpty else {
            throw .unauthorized("validation failure list:\n" + missing.joined(separator: "\n"))
        }
    }
}

extension JSON {
    /// What is wrong with the types of an object's members; absent ones and `null` are right, and so is `null` itself.
    fileprivate func typeProblem(strings: [String], lists: [String] = []) -> String? {
        switch self {
        case .null: return nil
        case .object: break
        default: return "json: cannot unmarshal into an object"
        }
        for name in strings {
            guard let value = self[name], value != .null, value.string == nil else { continue }
            return "json: cannot unmarshal field \(name) into a string"
        }
        for name in lists {
            guard let value = self[name], value != .null else { continue }
            guard value.array?.allSatisfy({ $0.string != nil }) != true else { continue }
            return "json: cannot unmarshal field \(name) into a list of strings"
        }
        return nil
    }
}
