import HTTPTypes

extension RouteTable {
    /// Every endpoint of the Local API (protocol facts A). Fixed paths stand before patterns that would match them.
    static let localAPI = RouteTable([
        Route(methods: [.get], pattern: "/health", access: .anyone) { api, _ in api.healthReply() },

        Route(methods: [.post], pattern: "/v1/watchers", access: .anyone, maxBodyBytes: 2 << 20) {
            try await $0.register($1)
        },
        Route(methods: [.post], pattern: "/v1/watchers/login", access: .anyone, maxBodyBytes: 2 << 20) {
            try await $0.logIn($1)
        },
        Route(methods: [.get], pattern: "/v1/refresh_token", access: .anyone) { try await $0.refreshToken($1) },
        Route(methods: [.delete], pattern: "/v1/watchers/self", access: .machine) { try await $0.deleteSelf($1) },
        Route(methods: [.get], pattern: "/v1/heartbeat", access: .machine) { $0.heartbeat($1) },

        Route(methods: [.post], pattern: "/v1/alerts", access: .machine) { try await $0.postAlerts($1) },
        Route(methods: [.get, .head], pattern: "/v1/alerts", access: .machine) { try await $0.findAlerts($1) },
        Route(methods: [.delete], pattern: "/v1/alerts", access: .machine) { try await $0.deleteAlerts($1) },
        Route(methods: [.get, .head], pattern: "/v1/alerts/:alert_id", access: .machine) {
            try await $0.findAlert($1)
        },
        Route(methods: [.delete], pattern: "/v1/alerts/:alert_id", access: .machine) { try await $0.deleteAlert($1) },

        Route(methods: [.get, .head], pattern: "/v1/decisions/stream", access: .bouncer) {
            try await $0.streamDecisions($1)
        },
        Route(methods: [.get, .head], pattern: "/v1/decisions", access: .bouncer) {
            try await $0.findDecisions($1)
        },
        Route(methods: [.delete], pattern: "/v1/decisions", access: .machine) { try await $0.deleteDecisions($1) },
        Route(methods: [.delete], pattern: "/v1/decisions/:decision_id", access: .machine) {
            try await $0.deleteDecision($1)
        },

        // A bouncer may read them too: what is allowlisted is accepted ahead of any ban (docs/protocol-extensions.md).
        Route(methods: [.get], pattern: "/v1/allowlists", access: .machineUnlessKey) {
            try await $0.listAllowlists($1)
        },
        Route(methods: [.post], pattern: "/v1/allowlists/check", access: .machine) { try await $0.checkAllowlists($1) },
        Route(methods: [.get], pattern: "/v1/allowlists/:allowlist_name", access: .machine) {
            try await $0.showAllowlist($1)
        },
        Route(methods: [.get, .head], pattern: "/v1/allowlists/check/:ip_or_range", access: .machine) {
            try await $0.checkAllowlist($1)
        },

        Route(methods: [.post], pattern: "/v1/usage-metrics", access: .machineOrBouncer) {
            try await $0.postUsageMetrics($1)
        },
    ])
}

extension LocalAPI {
    /// Answered without authentication or database: for container probes.
    func healthReply() -> Reply {
        var reply = health.reply
        reply.headers[.cacheControl] = "no-cache"
        if let pragma = HTTPField.Name("Pragma") { reply.headers[pragma] = "no-cache" }
        reply.headers[.expires] = "-1"
        return reply
    }
}
