import Contracts
package import HTTPService
import Idempotency
import Logging
import Observability
package import Postgres
package import ServiceDatabase
import ServiceIdentity
import ServiceLifecycle
package import ServiceRuntime

/// Builds every object of the ledger once, in order of dependency.
package enum WalletLedger: DatabaseService {
    package static let name = "wallet-ledger"

    package static func compose(_ settings: WalletLedgerConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let database = try settings.database.configuration(as: name)
        let identity = try ServiceIdentity(settings.identity, service: name)
        let api = try InboundAPI(settings.api, identity: identity)
        var prerequisites = [try settings.database.prerequisite(database, context.logger)]

        let pools = PoolMetrics(context.metrics)
        let pool = PostgresPool(
            configuration: database, options: PoolOptions(maximumConnections: settings.poolSize), logger: context.logger,
            onAcquire: pools.waits(of: "primary"))
        pools.observe(pool, named: "primary", limit: settings.poolSize)
        let clock = ClockWitness(logger: context.logger, metrics: context.metrics)
        let probe = DatabaseProbe(database, withoutWrites: .answersReads, metrics: context.metrics)
        let replica = try replica(settings, primary: pool, pools, clock, context.logger)
        let queue = PostingQueue(batchLimit: settings.batchLimit, writers: settings.writers)
        WalletLedgerMetrics(context.metrics).observe(queue)
        let writer = BatchWriter(
            queue: queue, configuration: database, writers: settings.writers, clock: clock, logger: context.logger,
            tracer: context.tracer)

        let served = try await api.compose(
            context, endpoints: endpoints(pool: pool, queue: queue, replica: replica?.reads, clock: clock), mapError: ledgerProblem)
        let keyExpiry = RowExpiry(of: "idempotency keys", pool: pool, clock: clock, logger: context.logger) { session, count in
            try IdempotencyStore<RecordedOutcome>().expire(session, atMost: count)
        }
        var serving: [any Service] = [ClockWatch(clock, pool: pool)]
        if let replica {
            prerequisites.append(replica.prerequisite)
            serving += [replica.pool, replica.reads]
        }
        serving += [
            keyExpiry, writer, HoldExpiry(queue: queue, pool: pool, now: milliseconds, logger: context.logger), served.server,
        ]
        return ComposedProcess(
            services: identity.services(context) + served.services + [probe, pool], prerequisites: prerequisites, serving: serving,
            healthChecks: [probe.healthCheck, clock.healthCheck] + served.healthChecks)
    }

    /// Unix milliseconds.
    @Sendable private static func milliseconds() -> Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000 }

    /// Every route, for the router and for the test that compares them with the OpenAPI document.
    package static func endpoints(pool: PostgresPool, queue: PostingQueue, replica: ReplicaReads? = nil, clock: ClockWitness) -> [Endpoint] {
        let read = ReadLedger(pool: pool)
        let postMoney = PostMoney(queue: queue, pool: pool, now: milliseconds)
        let postBatch = PostTransferBatch(queue: queue, pool: pool, now: milliseconds)
        let holds = ManageHolds(queue: queue, pool: pool, now: milliseconds)
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
        _ settings: WalletLedgerConfiguration, primary: PostgresPool, _ metrics: PoolMetrics, _ clock: ClockWitness, _ logger: Logger
    ) throws(InvalidConfiguration) -> (prerequisite: Prerequisite, pool: PostgresPool, reads: ReplicaReads)? {
        guard let url = settings.replicaDatabaseURL else { return nil }
        let configuration = try ServiceDatabase.configuration(url, variable: WalletLedgerConfiguration.replicaDatabase.key, as: name)
        let inspect: @Sendable (PostgresSession) throws -> Void = { session in try settings.database.inspectStandby(session, logger) }
        let prerequisite = Prerequisite("read replica") {
            do {
                try await ServiceDatabase.waiting(for: configuration) { try await settings.database.withSession(configuration, logger, inspect) }
            } catch let error as UnreachableDependency {
                logger.warning("the read replica is out of reach", metadata: ["error": "\(error)"])
            }
        }
        let options = PoolOptions(
            maximumConnections: settings.poolSize, acquireTimeout: ReplicaReads.acquireTimeout, isForWriting: false)
        let pool = PostgresPool(configuration: configuration, options: options, logger: logger, onAcquire: metrics.waits(of: "replica"))
        metrics.observe(pool, named: "replica", limit: settings.poolSize)
        return (prerequisite, pool, ReplicaReads(primary: primary, replica: pool, clock: clock, logger: logger, inspect: inspect))
    }
}
