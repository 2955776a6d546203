import Fleet
import HTTPService
import Observability
package import ServiceDatabase
import ServiceIdentity
package import ServiceRuntime

/// The settings of wallet-ledger; `wallet-ledger config` lists them.
package struct WalletLedgerConfiguration: DatabaseServiceConfiguration {
    static let schema = DatabaseSchema(service: WalletLedger.name, shared: ["outbox"])
    static let replicaDatabase = DatabaseSchema.url(
        "LEDGER_REPLICA_DATABASE_URL", "A streaming standby of that database, which gives answers about the past as far as it has them."
    ).optional
    static let identity = ServiceIdentitySettings.Declaration(service: WalletLedger.name)
    static let api = InboundAPISettings.Declaration(port: FleetService.walletLedger.apiPort)
    static let batchLimit = Setting<Int>.integer(
        "LEDGER_BATCH_LIMIT", "Postings per batch at most; the queue holds four times as many.", in: 1...256, unit: "postings", default: 256)
    static let writers = Setting<Int>.integer(
        "LEDGER_WRITERS", "Batch writers, each with a connection of its own.", in: 1...8, unit: "writers", default: 2)
    static let poolSize = Setting<Int>.integer(
        "LEDGER_POOL_SIZE", "Connections for everything but batches.", in: 1...100, unit: "connections", default: 8)
    package static let defaultAdminPort = FleetService.walletLedger.adminPort
    package static let declared: [any SettingDeclaration] =
        schema.declared + [replicaDatabase] + identity.declared + api.declared + [batchLimit, writers, poolSize]

    package let database: ServiceDatabase
    let replicaDatabaseURL: Secret<String>?
    let identity: ServiceIdentitySettings
    let api: InboundAPISettings
    let batchLimit: Int
    let writers: Int
    let poolSize: Int

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        database = Self.schema.database(values)
        replicaDatabaseURL = values[Self.replicaDatabase]
        identity = Self.identity.settings(values)
        api = try Self.api.settings(values)
        batchLimit = values[Self.batchLimit]
        writers = values[Self.writers]
        poolSize = values[Self.poolSize]
    }
}
