import Contracts
import Foundation
import HTTPService
import Idempotency
import Logging
import Postgres
import ServiceDatabase
import StrictJSON
import TestSupport

@testable import WalletLedger

/// A ledger's database and what posts to it, without HTTP.
struct MoneyFixture {
    struct NoDatabasePath: Error, CustomStringConvertible {
        let description = "a suite that makes a MoneyFixture has the trait .onEachDatabasePath"
    }

    static let owner = UserID(UUID(high: 0x0193_92d0_0000_7000, low: 0x8000_0000_0000_0001))

    let database: TestDatabase
    let configuration: PostgresConfiguration
    let pool: PostgresPool
    let clock = ClockWitness()

    /// Migrated directly, served on the path that the suite's trait has set.
    /// - Parameter server: nil is the one that all suites share; on another one the suite chooses the path itself, and may leave it out.
    init(server: PostgresServer? = nil) async throws {
        guard let path = DatabasePath.current ?? server.map({ _ in .direct }) else { throw NoDatabasePath() }
        let database = try await Self.makeDatabase(on: .shared(unless: server))
        self.init(database: database, configuration: try await PostgresConfiguration(url: path.servingURL(database)))
    }

    /// As above, through a pooler that the test may kill.
    /// - Parameter server: the pooler's; nil is the one that all suites share.
    init(through pooler: PgBouncer, of server: PostgresServer? = nil) async throws {
        let database = try await Self.makeDatabase(on: .shared(unless: server))
        let url = pooler.url(database.servingURL, server: database.server)
        self.init(database: database, configuration: try PostgresConfiguration(url: url))
    }

    private init(database: TestDatabase, configuration: PostgresConfiguration) {
        self.database = database
        self.configuration = configuration
        // All suites at once make a slow machine: a test fails for what it tests, not for waiting its turn.
        pool = PostgresPool(configuration: configuration, options: PoolOptions(acquireTimeout: .seconds(30)))
    }

    /// The same ledger with connections that have not been broken.
    func reconnected() -> MoneyFixture { MoneyFixture(database: database, configuration: configuration) }

    private static func makeDatabase(on server: PostgresServer) async throws -> TestDatabase {
        try await server.makeDatabase(
            service: "wallet-ledger",
            migrations: [
                MigrationFolder(namespace: "outbox", path: RepositoryRoot.path("migrations/shared/outbox")),
                MigrationFolder(namespace: "wallet-ledger", path: RepositoryRoot.path("migrations/wallet-ledger")),
            ])
    }

    static func key(_ text: String, principal: String = WalletAccess.user(owner).principal, caller: String = "mobile-bff") -> IdempotencyKey {
        IdempotencyKey(caller: caller, principal: principal, key: text)
    }

    func openWallet(owner: UserID? = MoneyFixture.owner, currency: String = "EUR") async throws -> WalletID {
        let origin = RequestOrigin(caller: "api-gateway", access: .client("bank"), key: nil, requestID: "open")
        let answer = try await OpenWallet(pool: pool, clock: clock)(OpenWalletRequest(ownerID: owner, currency: Currency(currency)!), origin)
        guard case .done(let wallet, _) = answer else { throw UnreadableRow(table: "wallets") }
        return wallet.id
    }

    static func newTransferID() -> TransferID {
        var random = SystemRandomNumberGenerator()
        return .newTransfer(milliseconds: 1_795_000_000_000, using: &random)
    }

    static func newWalletID() -> WalletID {
        var random = SystemRandomNumberGenerator()
        return .new(milliseconds: 1_795_000_000_000, using: &random)
    }

    static func money(_ amount: Int64) -> Money { Money(amountMinor: amount, currency: Currency("EUR")!)! }

    static func transfer(
        _ source: WalletID, _ destination: WalletID, _ amount: Int64, key: String = UUID().uuidString, reference: String? = nil,
        owner: UserID = MoneyFixture.owner
    ) -> PostingRequest {
        let request = TransferRequest(
            sourceWalletID: source, destinationWalletID: destination, money: money(amount), reference: reference)
        let access = WalletAccess.user(owner)
        return PostingRequest(
            order: .posting(.transfer(request, id: newTransferID(), access: access)), key: Self.key(key, principal: access.principal),
            fingerprint: .transfer(request), requestID: UUID().uuidString)
    }

    static func deposit(_ wallet: WalletID, _ amount: Int64, key: String = UUID().uuidString) -> PostingRequest {
        let request = FundingRequest(walletID: wallet, money: money(amount))
        let access = WalletAccess.client("bank")
        return PostingRequest(
            order: .posting(.deposit(request, id: newTransferID(), access: access)),
            key: Self.key(key, principal: access.principal, caller: "api-gateway"),
            fingerprint: .funding("POST /v1/deposits", request), requestID: UUID().uuidString)
    }

    func post(_ requests: [PostingRequest]) async throws -> [PostingOutcome] {
        try await pool.withSession { session in try PostBatch(clock: clock).run(session, requests) }
    }

    func balance(_ id: WalletID) async throws -> Int64 {
        try await pool.withSession { session in try WalletStore().wallet(session, id)?.balanceMinor ?? .min }
    }

    func verify() async throws -> VerifyReport {
        try await pool.withSession { session in try VerifyLedger().run(session) }
    }

    /// Runs `body` with so many replicas, each a queue and a writer of its own.
    func withReplicas<Value: Sendable>(_ count: Int, _ body: @Sendable ([PostingQueue]) async throws -> Value) async throws -> Value {
        let queues = (0..<count).map { _ in PostingQueue(batchLimit: 256, writers: 1) }
        return try await withThrowingTaskGroup(of: Void.self) { group in
            for queue in queues {
                let writer = BatchWriter(queue: queue, configuration: configuration, writers: 1, clock: clock, logger: Logger(label: "test"))
                group.addTask { try await writer.run() }
            }
            let value: Value
            do {
                value = try await body(queues)
            } catch {
                for queue in queues { queue.close() }
                throw error
            }
            for queue in queues { queue.close() }
            try await group.waitForAll()
            return value
        }
    }
}

extension PostingOutcome {
    var postedID: TransferID? {
        if case .posted(let body, _) = self { body.id } else { nil }
    }

    var refusal: TransferRejection? {
        if case .refused(let refusal, _, _) = self { refusal.rejection } else { nil }
    }
}
