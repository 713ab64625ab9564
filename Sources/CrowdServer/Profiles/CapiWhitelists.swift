import CrowdCore
import Glibc

/// `api.server.capi_whitelists_path`: what no list of the central API may ban. This version pulls no such list; a file
/// that is wrong is refused all the same, before somebody relies on it.
enum CapiWhitelists {
    static func check(_ path: String) throws(ConfigError) {
        let bytes: [UInt8]
        do { bytes = try FileContents.read(path) } catch {
            throw ConfigError("while opening capi whitelist file: \(error)")
        }
        do {
            guard let node = try YAML.document(bytes, file: path), !node.isNull else { throw ConfigError("empty file") }
            let yaml = try node.mapping(type: "csconfig.capiWhitelists", known: ["ips", "cidrs"])
            for text in try yaml.strings("ips") ?? [] where IPAddress(text) == nil {
                throw ConfigError("invalid IP address: \(text)")
            }
            for text in try yaml.strings("cidrs") ?? [] where IPRange(cidr: text) == nil {
                throw ConfigError("invalid CIDR address: \(text)")
            }
        } catch {
            throw ConfigError("while parsing capi whitelist file '\(path)': \(error)")
        }
    }
}
