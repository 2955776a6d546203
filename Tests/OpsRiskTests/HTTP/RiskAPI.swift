import AccessTokens
import Contracts
import Foundation
import HTTPService
import HTTPTypes
import Observability
import Postgres
import RequestSigning
import ServiceIdentity
import ServiceRuntime
import TestSupport
import Testing

@testable import OpsRisk

/// ops-risk as `serve` composes it, in this process: a real socket, a real Postgres, a real broker, real keys and tokens.
///
/// One for all HTTP suites, since a start waits for the second in which the replay window begins; every test has wallets of its own.
final class RiskAPI: ServedAPI {
    /// Longer than all suites of the process take on a busy machine, in seconds.
    private static let tokenLifetime: Int64 = 3_600
    private static let running = Task { try await RiskAPI() }

    let port: Int
    let fixture: RiskFixture
    let broker: RabbitMQServer
    let log: ServiceLog
    let metrics = PrometheusRegistry()
    let documented: DocumentedAPI
    /// Every route of the router, `GET /v1/risk/alerts`.
    let routes: [String]
    let credentials: CallerCredentials
    private let folder: TemporaryFolder
    let environment: [String: String]

    static func shared() async throws -> RiskAPI { try await running.value }

    static var now: Int64 { WallClock.microsecondsSinceUnixEpoch() / 1_000_000 }

    private init() async throws {
        fixture = try await RiskFixture()
        broker = try await RabbitMQServer.shared()
        folder = try TemporaryFolder("risk-http")
        // Known services, to which no route is open, are among the callers.
        let uninvited = ["mobile-bff", "api-gateway"].map { SigningKeyGenerator.Pair(caller: $0, callee: OpsRisk.name) }
        credentials = try CallerCredentials(callee: OpsRisk.name, pairs: SigningKeyGenerator.fleet + uninvited, folder: folder.path)
        let secret = Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        try Data(#"{"keys":[{"keyid":"test","secret":"\#(secret)"}]}"#.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/dead-letter.keys.json"))
        documented = try DocumentedAPI(path: RepositoryRoot.path("Shared/Contracts/OpenAPI/ops-risk.json"))
        log = try ServiceLog(of: OpsRisk.name)
        port = try FreePort.any()
        routes = OpsRisk.endpoints(pool: fixture.pool).map { "\($0.method.rawValue) \($0.path)" }
        environment = credentials.environment(port: port).merging([
            "OPS_RISK_DATABASE_URL": fixture.database.servingURL, "RABBITMQ_URL": broker.url(),
            "DEAD_LETTER_KEYS_FILE": "\(folder.path)/dead-letter.keys.json", "RISK_HIGH_VALUE_THRESHOLDS": "EUR=1000000,*=5000000",
            "RISK_VELOCITY_LIMIT": "3", "RISK_VELOCITY_WINDOW": "1m",
        ]) { $1 }
        try await ServedProcess.start(OpsRisk.self, environment: environment, log: log, tracer: nil, metrics: metrics)
    }

    func signer(_ caller: String) -> RequestSigner { credentials.signer(caller) }

    /// Sends a request, and checks of its answer what is true of every answer.
    func send(_ call: SignedCall, sourceLocation: SourceLocation = #_sourceLocation) async throws -> SignedAnswer {
        let answer = try await exchange(call)
        let faults = faults(of: answer, to: call)
        #expect(faults.isEmpty, "\(faults.joined(separator: "; "))", sourceLocation: sourceLocation)
        return answer
    }

    func token(
        _ principal: Principal? = nil, scopes: [String] = ["risk:operate"], roles: [String] = ["risk-analyst"]
    ) async throws -> String {
        try await credentials.issuer.token(
            for: principal ?? .user(Self.newUserID()), scopes: scopes, roles: roles, lifetime: Self.tokenLifetime, now: Self.now)
    }

    func staff(caller: String = "backoffice", _ user: String? = nil) async throws -> Party {
        Party(caller: caller, token: try await token(.user(user ?? Self.newUserID())))
    }

    static func newUserID() -> String {
        var random = SystemRandomNumberGenerator()
        return UserID.new(milliseconds: now * 1_000, using: &random).description
    }

    /// Raises a high-value alert and returns its id.
    func alert(of wallet: WalletID = RiskSamples.newWallet(), _ amount: Int64 = 1_000_000) async throws -> String {
        let debit = RiskSamples.debit(wallet, at: 0, amount)
        try await fixture.apply([debit])
        let found = try await fixture.query("SELECT id FROM risk_alerts WHERE transfer_id = '\(debit.transferID.uuid)' AND rule = 1") { row in
            AlertID(try row.decode(UUID.self)).description
        }
        return try #require(found.first)
    }

    func resolve(
        _ alert: String, _ body: String = #"{"resolution":"confirmed"}"#, as party: Party, key: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> SignedAnswer {
        try await send(
            SignedCall("POST", "/v1/risk/alerts/\(alert)/resolve", body, as: party, key: key), sourceLocation: sourceLocation)
    }
}
