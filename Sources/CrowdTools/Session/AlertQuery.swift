import CrowdCore

/// The filter flags that the alert and decision commands share, as a query of the Local API.
enum AlertQuery {
    /// `Ip`, `Range`, `AS`, `Country` whatever their case; every other scope as it is.
    static func scope(_ text: String) -> String {
        switch text.lowercased() {
        case "ip": "Ip"
        case "range": "Range"
        case "as": "AS"
        case "country": "Country"
        default: text
        }
    }

    static func check(range: String) throws(CommandError) {
        guard IPRange(cidr: range) != nil else { throw CommandError("\(range) is not a valid range") }
    }

    /// Adds the flags `--ip` and `--range`, checked here so that a slip is not a server's error.
    static func addAddress(of call: Invocation, to query: inout QueryString) throws(CommandError) {
        if let ip = call.flags.nonEmpty("ip") {
            guard IPAddress(ip) != nil else { throw CommandError("\(ip) is not a valid ip") }
            query.add("ip", ip)
        }
        if let range = call.flags.nonEmpty("range") {
            try check(range: range)
            query.add("range", range)
        }
        if call.flags.isOn("contained") { query.add("contains", "false") }
    }
}
