import APIService
import Contracts
import Fleet
package import HTTPService
import Logging
import Observability
package import Postgres
package import ServiceDatabase
import ServiceLifecycle
package import ServiceRuntime

/// Builds every object of the ledger once, in order of dependency.
package enum WalletLedger: DatabaseService {
    package static let name = FleetService.walletLedger.name

    package static func compose(_ settings: WalletLedgerConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let service = try APIService(settings.service, connections: settings.poolSize, context)
        let database = service.database
        let replica = try replica(settings, database, context.logger)
        let queue = PostingQueue(batchLimit: settings.batchLimit, writers: settings.writers)
        WalletLedgerMetrics(context.metrics).observe(queue)
        let writer = BatchWriter(
            queue: queue, configuration: database.configuration, writers: settings.writers, clock: database.clock, logger: context.logger,
            tracer: context.tracer)
        let holdExpiry = HoldExpiry(queue: queue, pool: database.pool, now: Timestamp.now, logger: context.logger)
        let ofReplica: [any Service] = replica.map { [$0.pool, $0.reads] } ?? []
        return try await service.process(
            endpoints: endpoints(pool: database.pool, queue: queue, replica: replica?.reads, clock: database.clock), mapError: ledgerProblem,
            prerequisites: replica.map { [$0.prerequisite] } ?? [],
            serving: ofReplica + [service.keyExpiry(of: RecordedOutcome.self), writer, holdExpiry])
    }

    /// Every route, for the router and for the test that compares them with the OpenAPI document.
    package static func endpoints(pool: PostgresPool, queue: PostingQueue, replica: ReplicaReads? = nil, clock: ClockWitness) -> [Endpoint] {
        let read = ReadLedger(pool: pool)
        let postMoney = PostMoney(queue: queue, pool: pool, now: Timestamp.now)
        let postBatch = PostTransferBatch(queue: queue, pool: pool, now: Timestamp.now)
        let holds = ManageHolds(queue: queue, pool: pool, now: Timestamp.now)
        let wallets = WalletRoutes(
            openWallet: OpenWallet(pool: pool, clock: clock), changeWallet: ChangeWallet(pool: pool, clock: clock), read: read)
        let list = ListLedger(pool: pool)
        return wallets.endpoints + PostingRoutes(postMoney: postMoney, postBatch: postBatch, read: read).endpoints
            + HoldRoutes(holds: holds).endpoints
            + HistoryRoutes(history: ReadHistory(pool: pool, replica: replica, clock: clock), list: list, read: read).endpoints
            + ListRoutes(list: list).endpoints
    }

    /// The standby for answers about the past, where one is set. It may be out of reach, now and later. One that is not the ledger's own is
    /// refused like such a primary when it answers at the start; when it answers for the first time later, it is never used.
    private static func replica(
        _ settings: WalletLedgerConfiguration, _ primary: DatabaseAccess, _ logger: Logger
    ) throws(InvalidConfiguration) -> (prerequisite: Prerequisite, pool: PostgresPool, reads: ReplicaReads)? {
        guard let url = settings.replicaDatabaseURL else { return nil }
        let configuration = try ServiceDatabase.configuration(url, variable: WalletLedgerConfiguration.replicaDatabase.key, as: name)
        let inspect: @Sendable (PostgresSession) throws -> Void = { session in try settings.database.inspectStandby(session, logger) }
        let prerequisite = Prerequisite("read replica") {
            do {
                try await ServiceDatabase.waiting(for: configuration) { try await settings.database.withSession(configuration, logger, inspect) }
            } catch let error as UnreachableDependency {
                logger.warning("the read replica is unreachable", metadata: ["error": "\(error)"])
            }
        }
        let options = PoolOptions(
            maximumConnections: settings.poolSize, acquireTimeout: ReplicaReads.acquireTimeout, isForWriting: false)
        let pool = PostgresPool(configuration: configuration, options: options, logger: logger, onAcquire: primary.metrics.waits(of: "replica"))
        primary.metrics.observe(pool, named: "replica", limit: settings.poolSize)
        return (prerequisite, pool, ReplicaReads(primary: primary.pool, replica: pool, clock: primary.clock, logger: logger, inspect: inspect))
    }
}
