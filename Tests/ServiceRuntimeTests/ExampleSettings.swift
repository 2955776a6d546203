import Observability
import ServiceRuntime

enum AuthMode: String, CaseIterable, Sendable {
    case hmac
    case off
}

/// A service's configuration with a setting of every kind.
struct ExampleSettings: ServiceConfiguration {
    static let batchLimit = Setting<Int>.integer("EXAMPLE_BATCH_LIMIT", "Transfers per batch.", in: 1...256, unit: "transfers", default: 64)
    static let lockTimeout = Setting<Duration>.duration(
        "EXAMPLE_LOCK_TIMEOUT", "How long a lock is waited for.", in: .milliseconds(10) ... .seconds(120), default: .seconds(5))
    static let authMode = Setting<AuthMode>.choice("INTERNAL_AUTH_MODE", "How callers are recognised.", default: .hmac)
        .refusedInProduction { $0 == .off }
    static let keysFile = Setting<String>.path("INTERNAL_AUTH_KEYS_FILE", "The signing keys.", default: "/run/keys.json")
    static let issuer = Setting<String>.url("TOKEN_ISSUER", "Who issues tokens.", schemes: ["https", "http"], default: "https://id.example")
    static let isVerbose = Setting<Bool>.flag("EXAMPLE_VERBOSE", "Says more.", default: false)
    static let redis = Setting<String>.url("REDIS_URL", "The shared replay window.", schemes: ["redis"], default: nil).optional
    static let database = Setting<Secret<String>>.secret(
        "EXAMPLE_DATABASE_URL", "Where the data is.", expected: "an address beginning with postgres://"
    ) { $0.hasPrefix("postgres://") }

    static let defaultAdminPort = 9_199
    static let declared: [any SettingDeclaration] = [batchLimit, lockTimeout, authMode, keysFile, issuer, isVerbose, redis, database]

    /// What a process needs at the least.
    static let minimum = ["EXAMPLE_DATABASE_URL": "postgres://example:hunter2@127.0.0.1/example"]

    let batchLimit: Int
    let lockTimeout: Duration
    let authMode: AuthMode
    let isVerbose: Bool
    let redis: String?
    let database: Secret<String>

    init(_ values: SettingValues) throws(InvalidConfiguration) {
        batchLimit = values[Self.batchLimit]
        lockTimeout = values[Self.lockTimeout]
        authMode = values[Self.authMode]
        isVerbose = values[Self.isVerbose]
        redis = values[Self.redis]
        database = values[Self.database]
        if isVerbose, batchLimit > 100 {
            throw InvalidConfiguration(key: "EXAMPLE_VERBOSE", "a batch above 100 is not described")
        }
    }
}
