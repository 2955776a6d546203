package import ServiceDatabase
package import ServiceRuntime

/// The settings of wallet-ledger; `wallet-ledger config` lists them.
package struct WalletLedgerConfiguration: DatabaseServiceConfiguration {
    static let schema = DatabaseSchema(service: WalletLedger.name, shared: ["outbox"])
    static let replicaDatabase = DatabaseSchema.url(
        "LEDGER_REPLICA_DATABASE_URL", "A streaming standby of that database, which gives answers about the past as far as it has them."
    ).optional
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
    package static let defaultAdminPort = 9_103
    package static let declared: [any SettingDeclaration] =
        schema.declared + [
            replicaDatabase, keysFile, issuer, audience, keySet, host, port, eventLoops, batchLimit, writers, poolSize,
        ] + ReplayWindowSettings.declared + InternalTLS.declared

    package let database: ServiceDatabase
    let replicaDatabaseURL: Secret<String>?
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
    let replayWindow: ReplayWindowSettings
    let internalTLS: InternalTLS

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        database = Self.schema.database(values)
        replicaDatabaseURL = values[Self.replicaDatabase]
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
        internalTLS = InternalTLS(values)
        replayWindow = try ReplayWindowSettings(values)
    }
}
