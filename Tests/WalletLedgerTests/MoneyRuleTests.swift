import Contracts
import Foundation
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

@Suite("The database's own rules", .onEachDatabasePath)
struct MoneyRuleTests {
    /// What the serving role might try by hand; `W` is a wallet, `T` a transfer.
    private static let violations = [
        "UPDATE transfers SET amount = 1", "DELETE FROM transfers", "TRUNCATE transfers", "UPDATE entries SET amount = 1",
        "DELETE FROM entries", "TRUNCATE entries", "DELETE FROM idempotency_keys", "UPDATE idempotency_keys SET request = ''",
        "UPDATE wallets SET balance = balance + 1 WHERE id = 'W'",
        "UPDATE wallets SET balance = balance + 1, version = version + 1 WHERE id = 'W'",
        "UPDATE wallets SET status = 1, version = version + 1 WHERE id = 'W'", "UPDATE wallets SET currency = 'USD'",
        "UPDATE wallets SET owner_id = NULL", "DELETE FROM wallets", "TRUNCATE wallets",
        "INSERT INTO wallets (id, opened_by, currency, balance, opened_at, last_posted_at) VALUES (gen_random_uuid(), 'x', 'EUR', 5, now(), now())",
        "INSERT INTO entries SELECT 'W', 99, gen_random_uuid(), 5, 5, now()",
        "INSERT INTO entries SELECT wallet_id, version + 1, transfer_id, amount, balance_after + amount, posted_at FROM entries WHERE wallet_id = 'W'",
        "INSERT INTO transfers SELECT gen_random_uuid(), kind, amount, currency, source_wallet_id, source_version, destination_wallet_id, "
            + "destination_version, original_id, ordered_by, NULL, key_id, posted_at FROM transfers",
        "INSERT INTO refund_totals VALUES ('T', 1000000, 5)", "ALTER TABLE entries DISABLE TRIGGER ALL", "DROP TABLE outbox_events",
        "CREATE TABLE mine (id int)", "DELETE FROM outbox_events", "UPDATE outbox_events SET data = ''",
    ]

    private static let ledger = UnchangedLedger {
        let fixture = try await MoneyFixture()
        let wallet = try await fixture.openWallet()
        return (fixture, wallet, try #require(try await fixture.post([MoneyFixture.deposit(wallet, 1_000)])[0].postedID))
    }

    @Test("the serving role is refused each violation by hand", arguments: violations)
    func refused(_ statement: String) async throws {
        let (fixture, a, posted) = try await Self.ledger.value()
        let sql = statement.replacing("'W'", with: "'\(a.uuid.uuidString)'").replacing("'T'", with: "'\(posted.uuid.uuidString)'")
        await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in try session.execute(PostgresQuery(unsafeSQL: sql)) }
        }
        #expect(try await fixture.verify().findings == [])
    }

    @Test(
        "verify names what the owner has altered",
        arguments: [
            ("entries", "UPDATE entries SET amount = amount + 1 WHERE balance_after = 1000", VerifyFinding.Kind.entry),
            ("wallets", "UPDATE wallets SET balance = balance + 1 WHERE NOT is_world", .balance),
            ("idempotency_keys", "UPDATE idempotency_keys SET request = replace(request, '1000', '1001')", .key),
            ("outbox_events", "UPDATE outbox_events SET data = replace(data, '1000', '1001') WHERE subject LIKE 'trf%'", .outbox),
            ("outbox_events", "DELETE FROM outbox_events WHERE subject LIKE 'trf%'", .outbox),
            ("transfers", "UPDATE transfers SET amount = 999", .transfer),
        ])
    func altered(_ table: String, _ statement: String, _ kind: VerifyFinding.Kind) async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        _ = try await fixture.post([MoneyFixture.deposit(a, 1_000)])
        #expect(try await fixture.verify().findings == [])
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        try await owner.withSession { session in
            try session.unsafeScript("ALTER TABLE \(table) DISABLE TRIGGER USER")
            try session.execute(PostgresQuery(unsafeSQL: statement))
        }
        #expect(try await fixture.verify().findings.contains { $0.kind == kind })
    }
}
