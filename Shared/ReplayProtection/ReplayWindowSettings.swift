package import Observability
package import ServiceRuntime

/// How the replay window is kept: the settings of every service that is called.
package struct ReplayWindowSettings: Sendable {
    package enum Mode: String, Sendable, CaseIterable {
        /// One memory for all replicas.
        case redis
        /// Each process has its own: right for a single replica only.
        case inProcess = "in-process"
    }

    private static let mode = Setting<Mode>.choice(
        "REPLAY_WINDOW", "Where seen nonces are kept; in-process is safe for a single replica only.", default: .redis
    ).refusedInProduction { $0 == .inProcess }
    private static let url = Setting<Secret<String>>.secret(
        "REDIS_URL", "The Redis of the replay window, as the user of this service; needed for REPLAY_WINDOW=redis.",
        expected: "an address beginning with redis:// or rediss://"
    ) { $0.hasPrefix("redis://") || $0.hasPrefix("rediss://") }.optional
    private static let authoritiesFile = Setting<String>.path(
        "REDIS_CA_FILE",
        "CA certificates for a rediss:// server, in PEM; unset: INTERNAL_TLS_CA_FILE's with own, otherwise the system's.",
        default: nil
    ).optional

    private static let timeout = Setting<Duration>.duration(
        "REDIS_TIMEOUT", "How long a request waits for Redis before treating it as unreachable.", in: .milliseconds(5) ... .seconds(5),
        default: .milliseconds(100))

    package static let declared: [any SettingDeclaration] = [mode, url, authoritiesFile, timeout]
    package static let urlKey = url.key
    package static let authoritiesKey = authoritiesFile.key

    /// Where the shared window is; nil keeps it in the process.
    package let redisURL: Secret<String>?
    package let authoritiesFile: String?
    package let timeout: Duration

    /// - Throws: ``InvalidConfiguration`` when the window is to be shared and nothing says where.
    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        authoritiesFile = values[Self.authoritiesFile]
        timeout = values[Self.timeout]
        switch values[Self.mode] {
        case .inProcess: redisURL = nil
        case .redis:
            guard let url = values[Self.url] else { throw InvalidConfiguration(missing: Self.urlKey, "REPLAY_WINDOW=redis needs it") }
            redisURL = url
        }
    }
}
