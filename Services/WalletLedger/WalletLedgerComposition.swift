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
package import ServiceRuntime
import TransportSecurity

/// Builds every object of the ledger once, in order of dependency.
package enum WalletLedger: FlorinService {
    package static let name = "wallet-ledger"

    package static func compose(_ settings: WalletLedgerConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let database = try settings.database(as: name)
        let tls = try settings.internalTLS.load()
        let redis = try ReplayProtection.target(settings.replayWindow, service: name, authorities: tls?.authorities)
        try await checkDatabase(database, settings, context.logger)

        let pool = PostgresPool(
            configuration: database, options: PoolOptions(maximumConnections: settings.poolSize), logger: context.logger)
        let queue = PostingQueue(batchLimit: settings.batchLimit, writers: settings.writers)
        let writer = BatchWriter(queue: queue, configuration: database, writers: settings.writers, logger: context.logger)

        let keys = try SigningKeyStore(path: settings.keysFile)
        let replay = try await ReplayProtection.compose(
            redis, service: name, timeout: settings.replayWindow.timeout, logger: context.logger)
        let verifier = RequestVerifier(keys: keys, replayWindow: replay.window)
        let httpClient = HTTPClient(eventLoopGroup: .singletonMultiThreadedEventLoopGroup)
        let keySet = keySet(settings.keySet, httpClient, tls?.authorities)
        let tokens = AccessTokenVerifier(
            policy: AccessTokenPolicy(issuer: settings.issuer, audience: settings.audience), keys: keySet)
        describeMetrics(context.metrics)

        let pipeline = EndpointPipeline(verifier: verifier, tokens: tokens, logger: context.logger, mapError: ledgerProblem)
        let server = APIServer(
            host: settings.host, port: settings.port, eventLoops: settings.eventLoops, certificate: tls?.certificate,
            responder: pipeline.responder(of: endpoints(pool: pool, queue: queue)), logger: context.logger,
            onListening: { _ in await ready(context.readiness, notBefore: replay.takesRequestsFrom) })

        return ComposedProcess(
            services: replay.services + [
                pool, ShutdownStep("http client") { try? await httpClient.shutdown() },
                SigningKeyReloader(keys: keys, logger: context.logger), KeySetRefresher(keySet: keySet, logger: context.logger),
                KeyExpiry(pool: pool, logger: context.logger), writer,
                HoldExpiry(queue: queue, pool: pool, now: milliseconds, logger: context.logger), server,
            ] + (tls.map { [CertificateReloader(material: $0, logger: context.logger)] } ?? []),
            healthChecks: [HealthCheck(name: "database", critical: true) { try await pool.ping() }] + replay.healthChecks)
    }

    /// Unix milliseconds.
    @Sendable private static func milliseconds() -> Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000 }

    /// Every route, for the router and for the test that compares them with the OpenAPI document.
    package static func endpoints(pool: PostgresPool, queue: PostingQueue) -> [Endpoint] {
        let read = ReadLedger(pool: pool)
        let postMoney = PostMoney(queue: queue, pool: pool, now: milliseconds)
        let postBatch = PostTransferBatch(queue: queue, pool: pool, now: milliseconds)
        let holds = ManageHolds(queue: queue, pool: pool, now: milliseconds)
        let wallets = WalletRoutes(openWallet: OpenWallet(pool: pool), changeWallet: ChangeWallet(pool: pool), read: read)
        return wallets.endpoints + PostingRoutes(postMoney: postMoney, postBatch: postBatch, read: read).endpoints
            + HoldRoutes(holds: holds).endpoints
    }

    /// Refuses a database that is not the ledger's, a role that may too much, and a schema that this executable does not fit.
    private static func checkDatabase(
        _ database: PostgresConfiguration, _ settings: WalletLedgerConfiguration, _ logger: Logger
    ) async throws {
        let migrator = try Migrator(folders: settings.migrationFolders)
        let isolation = DatabaseIsolation(service: name)
        let findings = try await settings.withSession(database, logger) { session in
            let findings = try isolation.findings(session, phase: .serve)
            // Of a foreign database the schema says nothing.
            if findings.isEmpty { try migrator.check(session) }
            return findings
        }
        try settings.enforce(findings, logger)
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

    private static func describeMetrics(_ metrics: PrometheusRegistry) {
        metrics.describe("http_server_requests_total", "Answered requests by route, method and status.")
        metrics.describe("http_server_request_seconds", "Time from the head of a request to its answer.")
        metrics.describe("signing_keys_inbound", "Keys that are accepted from a caller; two while they are being rotated.")
        metrics.describe("signing_keys_reload_failures_total", "Looks at a keys file that could not be used; the old keys stay.")
        ReplayProtection.describeMetrics(metrics)
        metrics.describe("tls_certificate_expiry_seconds", "When the certificate in use expires, in seconds since the Unix epoch.")
        metrics.describe("tls_reload_failures_total", "Looks at TLS files that could not be used; the old ones stay.")
        metrics.describe("ledger_batches_total", "Batches whose every posting was answered, committed or failed.")
        metrics.describe("ledger_batch_items_total", "Postings decided in batches; by ledger_batches_total it is the mean batch.")
        metrics.describe("ledger_batch_splits_total", "Batches that were halved to find a culprit.")
        metrics.describe("ledger_batch_seconds", "Time from taking a batch to its last answer.")
        metrics.describe("ledger_holds_expired_total", "Holds that the ledger ended because their time was over.")
        metrics.describe("ledger_queue_depth", "Postings that wait for a writer.")
        metrics.describe("ledger_writer_reconnects_total", "Connections that a batch writer had to replace.")
    }
}

extension WalletLedgerConfiguration {
    func database(as application: String) throws -> PostgresConfiguration {
        do {
            return try PostgresConfiguration(url: databaseURL.reveal(), applicationName: application)
        } catch {
            throw InvalidConfiguration(key: "LEDGER_DATABASE_URL", "can't be used: \(error)")
        }
    }

    /// One session for what happens once, at the start or in a command.
    func withSession<Value: Sendable>(
        _ database: PostgresConfiguration, _ logger: Logger, _ body: @Sendable (PostgresSession) throws -> Value
    ) async throws -> Value {
        let connection: PostgresConnection
        do {
            connection = try await PostgresConnection.connect(database, logger: logger)
        } catch {
            throw UnreachableDependency("Postgres at \(database.host):\(database.port)", reason: "\(error)")
        }
        return try await connection.withSession(body)
    }

    /// - Throws: ``InvalidConfiguration`` in strict mode when there are findings.
    func enforce(_ findings: [IsolationFinding], _ logger: Logger) throws {
        do {
            for finding in try isolation.enforce(findings) {
                logger.warning("database isolation is violated", metadata: ["isolation.finding": "\(finding)"])
            }
        } catch {
            throw InvalidConfiguration(key: "DATABASE_ISOLATION_MODE", "strict refuses to start: \(error)")
        }
    }
}
