import CrowdCore
import CrowdFirewall
import Glibc

/// `crowd-bouncer status` and `crowd-bouncer verify ADDRESS`: what is enforced, for people and for scripts.
///
/// Exit status: 0 yes (all is enforced; the address is dropped), 1 no, 2 the question could not be answered.
enum Questions {
    static let usage = """
          crowd-bouncer status [-c file] [-o human|json]
              whether the kernel has what was decided, asked of the running bouncer; exit status 1 if not
          crowd-bouncer verify ADDRESS [-c file] [-o human|json]
              whether a packet from there is dropped, by which set and until when; exit status 1 if not

        """

    private static let defaultPath = "/etc/crowdsec/bouncers/crowdsec-firewall-bouncer.yaml"
    private static let flags = CommandLineFlags(
        program: "crowd-bouncer",
        flags: [
            .option("c", "string", "path to crowdsec-firewall-bouncer.yaml (default \(defaultPath))"),
            .option("o", "human|json", "output format"),
        ])

    /// The exit status, or nil when the arguments (without the program's name) are no question.
    static func answer(_ arguments: [String]) -> Int32? {
        guard let word = arguments.first, word == "status" || word == "verify" else { return nil }
        var rest = Array(arguments.dropFirst())
        do {
            let address = word == "verify" ? try address(&rest) : nil
            let values = try flags.parse(rest)
            let config = try FirewallConfig.load(path: values["c"] ?? defaultPath)
            let isJSON = values["o"] == "json"
            return try address.map { try verify($0, config, isJSON) } ?? status(config, isJSON)
        } catch {
            show("\(error)\n", to: STDERR_FILENO)
            return 2
        }
    }

    private static func address(_ rest: inout [String]) throws -> IPAddress {
        guard let index = rest.firstIndex(where: { IPAddress($0) != nil }), let address = IPAddress(rest[index]) else {
            throw ConfigError("verify needs an address")
        }
        rest.remove(at: index)
        return address
    }

    private static func status(_ config: FirewallConfig, _ isJSON: Bool) throws -> Int32 {
        let answer = Completion.wait { () async -> Result<BouncerStatus, ConfigError> in
            do throws(ConfigError) { return .success(try await StatusClient.status(config)) } catch {
                return .failure(error)
            }
        }
        let status = try answer.get()
        show(isJSON ? String(decoding: status.json, as: UTF8.self) + "\n" : status.text)
        return status.isHealthy ? 0 : 1
    }

    private static func verify(_ address: IPAddress, _ config: FirewallConfig, _ isJSON: Bool) throws -> Int32 {
        let verdict = try PacketVerdict(for: address, config)
        show((isJSON ? String(decoding: verdict.json, as: UTF8.self) : verdict.text) + "\n")
        return verdict.isDropped ? 0 : 1
    }

    private static func show(_ text: String, to descriptor: Int32 = STDOUT_FILENO) {
        let bytes = Array(text.utf8)
        _ = write(descriptor, bytes, bytes.count)
    }
}
