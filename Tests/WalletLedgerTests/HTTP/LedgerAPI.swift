import AccessTokens
import Contracts
import Foundation
import HTTPTypes
import Logging
import Postgres
import RequestSigning
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
    let issuer: LocalTokenIssuer
    /// Names itself like the issuer, but has another key.
    let forger: LocalTokenIssuer
    /// Has the issuer's key, but another name.
    let otherIssuer: LocalTokenIssuer
    private let signers: [String: RequestSigner]
    /// Signs as `mobile-bff`, with a key that the ledger doesn't know.
    private let stranger: RequestSigner
    let secrets: [String]

    static func shared() async throws -> LedgerAPI { try await running.value }

    static var now: Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }

    private init() async throws {
        let migrations = RepositoryRoot.path("migrations")
        let server = try PostgresServer.shared()
        database = try await server.makeDatabase(
            service: WalletLedger.name,
            migrations: [
                MigrationFolder(namespace: "outbox", path: "\(migrations)/shared/outbox"),
                MigrationFolder(namespace: "wallet-ledger", path: "\(migrations)/wallet-ledger"),
            ])
        // It goes with the server when the process ends.
        let folder = "\(server.folder)/ledger-http-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let keyFolder = SigningKeyFolder(path: "\(folder)/keys")
        var random = SystemRandomNumberGenerator()
        let pairs = SigningKeyGenerator.localFleet + [.init(caller: Self.uninvited, callee: WalletLedger.name)]
        let keys = try SigningKeyGenerator.generate(pairs: pairs, now: Self.now, using: &random)
        _ = try keyFolder.write(keys, replacing: false)
        signers = Dictionary(
            uniqueKeysWithValues: keys.filter { !$0.outbound.isEmpty }.map {
                ($0.service, RequestSigner(keys: SigningKeyStore(keys: $0), callee: WalletLedger.name))
            })
        let strangers = try SigningKeyGenerator.generate(
            pairs: [.init(caller: "mobile-bff", callee: WalletLedger.name)], now: Self.now, using: &random)
        stranger = RequestSigner(
            keys: SigningKeyStore(keys: strangers.first { $0.service == "mobile-bff" }!), callee: WalletLedger.name)
        secrets = try keys.flatMap { keys in
            (try JSONParser.parse(SigningKeyFile.render(keys))["inbound"]?.arrayValue ?? []).compactMap { $0["secret"]?.stringValue }
        }
        guard secrets.count == pairs.count else { throw ServedProcess.NotServing(description: "the keys file holds no secrets") }
        issuer = try LocalTokenIssuer.create(directory: "\(folder)/issuer", environment: "local")
        forger = try LocalTokenIssuer(environment: "local")
        otherIssuer = try LocalTokenIssuer(directory: "\(folder)/issuer", environment: "local", issuer: "http://127.0.0.1:1")
        documented = try DocumentedAPI(path: RepositoryRoot.path("Shared/Contracts/OpenAPI/wallet-ledger.json"))
        log = try ServiceLog(of: WalletLedger.name)
        port = try FreePort.any()
        routes = WalletLedger.endpoints(
            pool: PostgresPool(configuration: try PostgresConfiguration(url: database.servingURL)),
            queue: PostingQueue(batchLimit: 1, writers: 1)
        ).map { "\($0.method.rawValue) \($0.path)" }
        try await ServedProcess.start(
            WalletLedger.self,
            environment: [
                "FLORIN_ENVIRONMENT": "local", "LEDGER_DATABASE_URL": database.servingURL,
                // Other suites make databases on this server; how they stand to each other is tested elsewhere.
                "DATABASE_ISOLATION_MODE": "warn",
                "INTERNAL_AUTH_KEYS_FILE": keyFolder.path(of: WalletLedger.name), "REPLAY_WINDOW": "in-process", "INTERNAL_TLS": "off",
                "TOKEN_ISSUER": issuer.issuer, "TOKEN_JWKS": LocalTokenIssuer.keySetPath(in: "\(folder)/issuer"),
                "HTTP_HOST": "127.0.0.1", "HTTP_PORT": String(port), "ADMIN_PORT": "0", "MIGRATIONS_DIRECTORY": migrations,
                "LOG_LEVEL": "debug",
            ], log: log, tracer: spans.tracer, metrics: metrics)
    }

    /// Who signs as this service; anybody unknown signs with a key that the ledger has never seen.
    func signer(_ caller: String) -> RequestSigner { signers[caller] ?? stranger }

    /// Runs a query as superuser.
    func query<Value: Sendable>(_ body: @Sendable (PostgresSession) throws -> Value) async throws -> Value {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.superuserURL))
        let value = try await connection.withSession(body)
        await connection.close()
        return value
    }
}
