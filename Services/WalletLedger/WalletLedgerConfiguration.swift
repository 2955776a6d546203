import Postgres
package import ServiceRuntime

/// The settings of wallet-ledger; `wallet-ledger config` lists them.
package struct WalletLedgerConfiguration: ServiceConfiguration {
    static let database = Setting<Secret<String>>.secret(
        "LEDGER_DATABASE_URL", "The ledger's own database, as the role of this process.",
        expected: "an address beginning with postgres:// or postgresql://"
    ) { $0.hasPrefix("postgres://") || $0.hasPrefix("postgresql://") }
    static let replicaDatabase = Setting<Secret<String>>.secret(
        "LEDGER_REPLICA_DATABASE_URL", "A streaming standby of that database, which gives answers about the past as far as it has them.",
        expected: "an address beginning with postgres:// or postgresql://"
    ) { $0.hasPrefix("postgres://") || $0.hasPrefix("postgresql://") }.optional
    static let isolation = Setting<DatabaseIsolation.Mode>.choice(
        "DATABASE_ISOLATION_MODE", "What a violation of database isolation does.", default: .strict
    ).refusedInProduction { $0 == .warn }
    static let keysFile = Setting<String>.path(
        "INTERNAL_AUTH_KEYS_FILE", "The signing keys of this service's pairs.", default: "/run/secrets/florin/wallet-ledger.keys.json")
    static let issuer = Setting<String>.url("TOKEN_ISSUER", "Who issues access tokens.", schemes: ["https", "http"], default: nil)
    static let audience = Setting<String>.text("TOKEN_AUDIENCE", "The audience that access tokens name.", default: "florin-api")
    static let keySet = Setting<String>.text(
        "TOKEN_JWKS", "The issuer's keys.", expected: "an https:// or http:// address or the path of a file", default: nil)
    static let host = Setting<String>.text("HTTP_HOST", "The address to listen on.", default: "0.0.0.0")
    static let port = Setting<Int>.port("HTTP_PORT", "The port of the API.", default: 8_103)
    static let eventLoops = Setting<Int>.integer("HTTP_EVENT_LOOPS", "Threads that serve HTTP.", in: 1...64, unit: "threads", default: 1)
    static let batchLimit = Setting<Int>.integer(
        "LEDGER_BATCH_LIMIT", "Postings per batch at most; the queue holds four times as many.", in: 1...256, unit: "postings", default: 256)
    static let writers = Setting<Int>.integer(
        "LEDGER_WRITERS", "Batch writers, each with a connection of its own.", in: 1...8, unit: "writers", default: 2)
    static let poolSize = Setting<Int>.integer(
        "LEDGER_POOL_SIZE", "Connections for everything but batches.", in: 1...100, unit: "connections", default: 8)
    static let migrations = Setting<String>.path(
        "MIGRATIONS_DIRECTORY", "The folder of the migrations that belong to this executable.", default: "/app/migrations")

    package static let defaultAdminPort = 9_103
    package static let declared: [any SettingDeclaration] =
        [
            database, replicaDatabase, isolation, keysFile, issuer, audience, keySet, host, port, eventLoops, batchLimit, writers,
            poolSize, migrations,
        ] + ReplayWindowSettings.declared + InternalTLS.declared

    package let databaseURL: Secret<String>
    let replicaDatabaseURL: Secret<String>?
    let isolation: DatabaseIsolation.Mode
    let keysFile: String
    let issuer: String
    let audience: String
    let keySet: String
    let host: String
    let port: Int
    let eventLoops: Int
    let batchLimit: Int
    let writers: Int
    let poolSize: Int
    let migrations: String
    let replayWindow: ReplayWindowSettings
    let internalTLS: InternalTLS

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        databaseURL = values[Self.database]
        replicaDatabaseURL = values[Self.replicaDatabase]
        isolation = values[Self.isolation]
        keysFile = values[Self.keysFile]
        issuer = values[Self.issuer]
        audience = values[Self.audience]
        keySet = values[Self.keySet]
        host = values[Self.host]
        port = values[Self.port]
        eventLoops = values[Self.eventLoops]
        batchLimit = values[Self.batchLimit]
        writers = values[Self.writers]
        poolSize = values[Self.poolSize]
        migrations = values[Self.migrations]
        internalTLS = InternalTLS(values)
        replayWindow = try ReplayWindowSettings(values)
    }

    /// The folders that `migrate` applies, in order.
    var migrationFolders: [MigrationFolder] {
        [
            MigrationFolder(namespace: "outbox", path: "\(migrations)/shared/outbox"),
            MigrationFolder(namespace: "wallet-ledger", path: "\(migrations)/wallet-ledger"),
        ]
    }
}
