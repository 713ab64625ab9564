import CrowdCore

/// The daemon's messages, and the requests it answers: with `log_media: file` these have a file of their own.
struct Logs: Sendable {
    let messages: SuiteLogging
    let requests: SuiteLogging

    /// A test of the configuration speaks to whoever started it.
    init(_ config: SuiteConfig, _ options: Options) throws(ConfigError) {
        let level = Self.level(config, options)
        guard !options.onlyTests else {
            messages = try SuiteLogging(.standardError, level: level)
            requests = messages
            return
        }
        messages = try SuiteLogging(config.common, file: "crowdsec-lapi.log", level: level)
        requests =
            config.common.logMedia == .file
            ? try SuiteLogging(config.common, file: "crowdsec_api.log", level: level) : messages
    }

    /// From the command line, else the Local API's own, else that of all.
    static func level(_ config: SuiteConfig, _ options: Options) -> LogLevel {
        options.level ?? config.server?.logLevel ?? config.common.logLevel
    }

    var level: LogLevel {
        get { messages.level }
        nonmutating set { (messages.level, requests.level) = (newValue, newValue) }
    }

    func reopen() {
        messages.reopen()
        requests.reopen()
    }
}
