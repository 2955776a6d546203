import AccessTokens
import AsyncHTTPClient
import Contracts
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
package import Postgres
import ReplayProtection
import RequestSigning
import ServiceDatabase
import ServiceLifecycle
package import ServiceRuntime
import TransportSecurity

/// Builds every object of the ledger once, in order of dependency.
package enum WalletLedger: DatabaseService {
    package static let name = "wallet-ledger"

    package static func compose(_ settings: WalletLedgerConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let database = try settings.database.configuration(as: name)
        let tls = try settings.internalTLS.load()
        let redis = try ReplayProtection.target(settings.replayWindow, service: name, authorities: tls?.authorities)
        try await settings.database.check(database, context.logger)

        let pools = PoolMetrics(context.metrics)
        let pool = PostgresPool(
            configuration: database, options: PoolOptions(maximumConnections: settings.poolSize), logger: context.logger,
            onAcquire: pools.waits(of: "primary"))
        pools.observe(pool, named: "primary", limit: settings.poolSize)
        let replica = try await replica(settings, primary: pool, pools, context.logger)
        let queue = PostingQueue(batchLimit: settings.batchLimit, writers: settings.writers)
        WalletLedgerMetrics(context.metrics).observe(queue)
        let writer = BatchWriter(queue: queue, configuration: database, writers: settings.writers, logger: context.logger, tracer: context.tracer)

        let keys = try SigningKeyStore(path: settings.keysFile)
        let replay = try await ReplayProtection.compose(
            redis, service: name, timeout: settings.replayWindow.timeout, logger: context.logger, metrics: context.metrics)
        ReplayProtection.describeMetrics(context.metrics)
        let verifier = RequestVerifier(keys: keys, replayWindow: replay.window)
        let httpClient = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
        let keySet = keySet(settings.keySet, httpClient, tls?.authorities)
        let tokens = AccessTokenVerifier(
            policy: AccessTokenPolicy(issuer: settings.issuer, audience: settings.audience), keys: keySet)
        let pipeline = EndpointPipeline(
            verifier: verifier, tokens: tokens, logger: context.logger, tracer: context.tracer, metrics: context.metrics, mapError: ledgerProblem)
        let server = APIServer(
            host: settings.host, port: settings.port, eventLoops: settings.eventLoops, certificate: tls?.certificate,
            responder: pipeline.responder(of: endpoints(pool: pool, queue: queue, replica: replica?.reads)), logger: context.logger,
            onListening: { _ in await ready(context.readiness, notBefore: replay.takesRequestsFrom) })

        var services: [any Service] = replay.services + [pool]
        if let replica { services += [replica.pool, replica.reads] }
        services += [
            ShutdownStep("http client") { try? await httpClient.shutdown() },
            SigningKeyReloader(keys: keys, logger: context.logger), KeySetRefresher(keySet: keySet, logger: context.logger),
            KeyExpiry(pool: pool, logger: context.logger), writer,
            HoldExpiry(queue: queue, pool: pool, now: milliseconds, logger: context.logger), server,
        ]
        if let tls { services.append(CertificateReloader(material: tls, logger: context.logger)) }
        return ComposedProcess(
            services: services,
            healthChecks: [HealthCheck(name: "database", critical: true) { try await pool.ping() }] + replay.healthChecks)
    }

    /// Unix milliseconds.
    @Sendable private static func milliseconds() -> Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000 }

    /// Every route, for the router and for the test that compares them with the OpenAPI document.
    package static func endpoints(pool: PostgresPool, queue: PostingQueue, replica: ReplicaReads? = nil) -> [Endpoint] {
        let read = ReadLedger(pool: pool)
        let postMoney = PostMoney(queue: queue, pool: pool, now: milliseconds)
        let postBatch = PostTransferBatch(queue: queue, pool: pool, now: milliseconds)
        let holds = ManageHolds(queue: queue, pool: pool, now: milliseconds)
        let wallets = WalletRoutes(openWallet: OpenWallet(pool: pool), changeWallet: ChangeWallet(pool: pool), read: read)
        let list = ListLedger(pool: pool)
        return wallets.endpoints + PostingRoutes(postMoney: postMoney, postBatch: postBatch, read: read).endpoints
            + HoldRoutes(holds: holds).endpoints
            + HistoryRoutes(history: ReadHistory(pool: pool, replica: replica), list: list, read: read).endpoints
            + ListRoutes(list: list).endpoints
    }

    /// The standby for answers about the past, where one is set. It may be out of reach, now and later; one that is not the ledger's own
    /// is refused like such a primary.
    private static func replica(
        _ settings: WalletLedgerConfiguration, primary: PostgresPool, _ metrics: PoolMetrics, _ logger: Logger
    ) async throws -> (pool: PostgresPool, reads: ReplicaReads)? {
        guard let url = settings.replicaDatabaseURL else { return nil }
        let configuration = try ServiceDatabase.configuration(url, variable: WalletLedgerConfiguration.replicaDatabase.key, as: name)
        do {
            let connection = try await PostgresConnection.connect(configuration, logger: logger)
            let findings = try await connection.withSession { session in
                try DatabaseIsolation(service: name).findings(session, phase: .serve)
            }
            await connection.close()
            try settings.database.enforce(findings, logger)
        } catch let error as PostgresError {
            logger.warning("the read replica is out of reach", metadata: ["error": "\(error)"])
        }
        let options = PoolOptions(maximumConnections: settings.poolSize, acquireTimeout: ReplicaReads.acquireTimeout)
        let pool = PostgresPool(configuration: configuration, options: options, logger: logger, onAcquire: metrics.waits(of: "replica"))
        metrics.observe(pool, named: "replica", limit: settings.poolSize)
        return (pool, ReplicaReads(primary: primary, replica: pool, logger: logger))
    }

    /// - Parameter authorities: Who vouches for an https address; nil leaves it to the system's authorities.
    private static func keySet(_ source: String, _ client: HTTPClient, _ authorities: FleetAuthorities?) -> JSONWebKeySet {
        guard source.hasPrefix("https://") || source.hasPrefix("http://") else { return JSONWebKeySet(file: source) }
        return JSONWebKeySet(fetch: {
            var request = HTTPClientRequest(url: source)
            request.tlsConfiguration = authorities?.clientConfiguration
            let response = try await client.execute(request, timeout: .seconds(5))
            guard response.status == .ok else { throw UnreachableDependency("the key set", reason: "status \(response.status.code)") }
            return Array(try await response.body.collect(upTo: 1 << 20).readableBytesView)
        })
    }

    /// With a replay window of its own, the process can't tell a request signed in the second of the start from one that the process
    /// before has seen, and refuses it; so nobody is sent here before that second has passed.
    private static func ready(_ readiness: Readiness, notBefore second: Int64) async {
        let remaining = second * 1_000_000 - WallClock.microsecondsSinceUnixEpoch()
        if remaining > 0 { try? await Task.sleep(for: .microseconds(remaining)) }
        readiness.started()
    }
}
