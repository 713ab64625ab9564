import CrowdCore

/// What can be wrong with the address of a Local API, in the words scripts know.
enum LocalAPIAddress {
    static func check(_ url: String) throws(CommandError) {
        guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
            throw CommandError("BaseURL must have a trailing slash, but \(url) is no URL")
        }
        let rest = url.drop { $0 != "/" }.dropFirst(2)
        let authority = rest.prefix { $0 != "/" }
        let host = authority.hasPrefix("[") ? authority.drop { $0 != "]" }.dropFirst() : authority.drop { $0 != ":" }
        guard host.hasPrefix(":"), !host.dropFirst().allSatisfy({ $0.isASCII && $0.isNumber }) else { return }
        throw CommandError("parse \"\(url)\": invalid port \"\(host)\" after host")
    }
}
