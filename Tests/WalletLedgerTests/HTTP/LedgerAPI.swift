import AccessTokens
import Contracts
import HTTPService
import HTTPTypes
import Logging
import Observability
import Postgres
import RequestSigning
import ServiceDatabase
import ServiceIdentity
import ServiceRuntime
import TestSupport
import WalletLedger

/// The ledger as `serve` composes it, in this process: a real socket, a real Postgres, real keys and tokens.
///
/// One for all HTTP suites, since a start waits for the second in which the replay window begins; every test has wallets of its own.
final class LedgerAPI: ServedAPI {
    /// A known service whose key fits but to which no route is open.
    static let uninvited = "ops-risk"
    private static let running = Task { try await LedgerAPI() }

    let port: Int
    let database: TestDatabase
    let log: ServiceLog
    let spans = LedgerSpans()
    let metrics = PrometheusRegistry()
    let documented: DocumentedAPI
    /// Every route of the router, `GET /v1/wallets/{id}`.
    let routes: [String]
    let credentials: CallerCredentials
    private let folder: TemporaryFolder

    static func shared() async throws -> LedgerAPI { try await running.value }

    /// One of one's own, for tests that hold up its database.
    static func separate() async throws -> LedgerAPI { try await LedgerAPI() }

    static var now: Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }

    private init() async throws {
        let migrations = RepositoryRoot.path("migrations")
        let server = try await PostgresServer.shared()
        database = try await server.makeDatabase(
            service: WalletLedger.name,
            migrations: [
                MigrationFolder(namespace: "outbox", path: "\(migrations)/shared/outbox"),
                MigrationFolder(namespace: "wallet-ledger", path: "\(migrations)/wallet-ledger"),
            ])
        folder = try TemporaryFolder("ledger-http")
        credentials = try CallerCredentials(
            callee: WalletLedger.name, pairs: SigningKeyGenerator.fleet + [.init(caller: Self.uninvited, callee: WalletLedger.name)],
            folder: folder.path)
        documented = try DocumentedAPI(path: RepositoryRoot.path("Shared/Contracts/OpenAPI/wallet-ledger.json"))
        log = try ServiceLog(of: WalletLedger.name)
        port = try FreePort.any()
        routes = WalletLedger.endpoints(
            pool: PostgresPool(configuration: try PostgresConfiguration(url: database.servingURL)),
            queue: PostingQueue(batchLimit: 1, writers: 1), clock: ClockWitness()
        ).map { "\($0.method.rawValue) \($0.path)" }
        try await ServedProcess.start(
            WalletLedger.self,
            environment: credentials.environment(port: port).merging(["LEDGER_DATABASE_URL": database.servingURL]) { $1 }, log: log,
            tracer: spans.tracer, metrics: metrics)
    }

    func signer(_ caller: String) -> RequestSigner { credentials.signer(caller) }

    var issuer: LocalTokenIssuer { credentials.issuer }

    /// Runs a query as superuser.
    func query<Value: Sendable>(_ body: @Sendable (PostgresSession) throws -> Value) async throws -> Value {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.superuserURL))
        let value = try await connection.withSession(body)
        await connection.close()
        return value
    }
}
