package import APIService
import Fleet
import Observability
import ServiceDatabase
package import ServiceRuntime

/// The settings of wallet-ledger; `wallet-ledger config` lists them.
package struct WalletLedgerConfiguration: APIServiceConfiguration {
    static let service = APIServiceSettings.Declaration(.walletLedger, shared: ["outbox"])
    static let replicaDatabase = DatabaseSchema.url(
        "LEDGER_REPLICA_DATABASE_URL", "A streaming standby for reads about the past."
    ).optional
    static let batchLimit = Setting<Int>.integer(
        "LEDGER_BATCH_LIMIT", "Maximum postings per batch; the queue holds four times as many.", in: 1...256, unit: "postings", default: 256)
    static let writers = Setting<Int>.integer(
        "LEDGER_WRITERS", "Batch writers, each with a connection of its own.", in: 1...8, unit: "writers", default: 2)
    static let poolSize = Setting<Int>.integer(
        "LEDGER_POOL_SIZE", "Connections for everything but batches.", in: 1...100, unit: "connections", default: 8)
    package static let defaultAdminPort = FleetService.walletLedger.adminPort
    package static let declared: [any SettingDeclaration] =
        service.declared + [replicaDatabase, batchLimit, writers, poolSize]

    package let service: APIServiceSettings
    let replicaDatabaseURL: Secret<String>?
    let batchLimit: Int
    let writers: Int
    let poolSize: Int

    package init(_ values: SettingValues) throws(InvalidConfiguration) {
        service = try Self.service.settings(values)
        replicaDatabaseURL = values[Self.replicaDatabase]
        batchLimit = values[Self.batchLimit]
        writers = values[Self.writers]
        poolSize = values[Self.poolSize]
    }
}
