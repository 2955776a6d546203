import Contracts
import Foundation
import HTTPService
import Idempotency
import Postgres
import ServiceDatabase
import StrictJSON
import TestSupport
import Testing

@testable import WalletLedger

@Suite("The ledger's upkeep", .onEachDatabasePath)
struct LedgerUpkeepTests {
    @Test("expired keys go in bounded batches, young ones stay, and only the function may delete")
    func expiry() async throws {
        let fixture = try await MoneyFixture()
        let a = try await fixture.openWallet()
        let requests = (0..<8).map { MoneyFixture.deposit(a, 1, key: "key-\($0)") }
        _ = try await fixture.post(requests)
        let old = requests.prefix(5).map(\.key?.id)
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        try await owner.withSession { session in
            try session.unsafeScript("ALTER TABLE idempotency_keys DISABLE TRIGGER USER")
            try session.execute("UPDATE idempotency_keys SET created_at = now() - interval '31 days' WHERE id = ANY(\(old))")
            try session.unsafeScript("ALTER TABLE idempotency_keys ENABLE TRIGGER USER")
        }
        await owner.close()
        for expected in [3, 2, 0] {
            let count = try await fixture.pool.withTransaction { session in try IdempotencyStore<RecordedOutcome>().expire(session, atMost: 3) }
            #expect(count == expected)
        }
        let kept = try await fixture.pool.withSession { session in
            try session.query("SELECT id FROM idempotency_keys").map { row in try row.decode(UUID.self) }
        }
        #expect(Set(kept) == Set(requests.dropFirst(5).map(\.key?.id)))
        let refused = await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in
                // The setting by which the function tells the trigger is no way around the missing privilege.
                try session.execute("SELECT set_config('florin.expiring_keys', 'on', true)")
                try session.execute("DELETE FROM idempotency_keys")
            }
        }
        #expect(refused?.sqlState == .insufficientPrivilege)
        #expect(try await fixture.verify().findings == [])
    }

    struct Violation: Sendable, CustomTestStringConvertible {
        let sql: String
        let state: SQLState
        var constraint: String?
        var testDescription: String { sql }
    }

    /// `W` is a wallet with 1000 on it, `T` its deposit of 1000, of which 300 are refunded, `V` the wallet's version.
    /// A deposit written by hand, in one statement as the service's own: all that is wrong with it is what the arguments say.
    private static func deposit(of amount: Int, raising: Int, currency: String) -> String {
        """
        WITH w AS (
            UPDATE wallets SET balance = balance + \(raising), version = version + 1, last_posted_at = now() WHERE id = 'W' RETURNING *
        ), s AS (
            UPDATE wallets SET balance = balance - \(amount), version = version + 1, last_posted_at = now()
            WHERE id = (SELECT source_wallet_id FROM transfers WHERE id = 'T') RETURNING *
        ), t AS (
            INSERT INTO transfers
            SELECT gen_random_uuid(), 2, \(amount), '\(currency)', s.id, s.version, w.id, w.version, NULL, 'x', NULL, gen_random_uuid(),
                w.last_posted_at
            FROM w, s RETURNING *
        )
        INSERT INTO entries
        SELECT s.id, s.version, t.id, -t.amount, s.balance, t.posted_at FROM s, t
        UNION ALL SELECT w.id, w.version, t.id, t.amount, w.balance, t.posted_at FROM w, t
        """
    }

    private static let violations = [
        Violation(sql: "UPDATE wallets SET balance = -1, version = V + 1 WHERE id = 'W'", state: .checkViolation, constraint: "wallets_floor"),
        Violation(
            sql: "UPDATE wallets SET balance = balance + 1, version = V + 1 WHERE id = 'W'", state: .integrityConstraintViolation,
            constraint: "wallets_follow_entries"),
        Violation(
            sql: "UPDATE wallets SET overdraft_limit = 5 WHERE id = 'W'", state: .integrityConstraintViolation,
            constraint: "wallets_follow_entries"),
        Violation(
            sql: "UPDATE wallets SET status = 3, version = V + 1 WHERE id = 'W'", state: .checkViolation,
            constraint: "wallets_closed_is_empty"),
        Violation(
            sql: "UPDATE refund_totals SET refunded = 1001 WHERE transfer_id = 'T'", state: .checkViolation,
            constraint: "refund_totals_within_original"),
        Violation(
            sql: "UPDATE refund_totals SET refunded = 299 WHERE transfer_id = 'T'", state: .integrityConstraintViolation,
            constraint: "refunds_counted"),
        Violation(
            sql: "INSERT INTO entries SELECT 'W', V + 1, 'T', 5, 705, posted_at FROM transfers WHERE id = 'T'",
            state: .integrityConstraintViolation, constraint: "entries_follow"),
        Violation(
            sql: """
                INSERT INTO transfers SELECT gen_random_uuid(), kind, amount, currency, source_wallet_id, source_version,
                    destination_wallet_id, destination_version, original_id, ordered_by, NULL, key_id, now()
                FROM transfers WHERE id = 'T'
                """, state: .integrityConstraintViolation, constraint: "transfers_balance"),
        Violation(sql: deposit(of: 4, raising: 5, currency: "EUR"), state: .integrityConstraintViolation, constraint: "wallets_follow_entries"),
        Violation(sql: deposit(of: 5, raising: 5, currency: "USD"), state: .integrityConstraintViolation, constraint: "transfers_balance"),
        Violation(
            sql: "INSERT INTO wallet_changes VALUES ('W', V + 1, 1, 1, 0, 'x', 'x', 'x', now())", state: .integrityConstraintViolation,
            constraint: "wallet_changes_follow"),
        Violation(sql: "UPDATE wallets SET currency = 'USD' WHERE id = 'W'", state: .insufficientPrivilege),
        Violation(sql: "UPDATE wallets SET owner_id = NULL WHERE id = 'W'", state: .insufficientPrivilege),
        Violation(sql: "UPDATE refund_totals SET amount = 5000 WHERE transfer_id = 'T'", state: .insufficientPrivilege),
        Violation(sql: "UPDATE entries SET amount = 5", state: .insufficientPrivilege),
        Violation(sql: "DELETE FROM transfers", state: .insufficientPrivilege),
        Violation(sql: "TRUNCATE idempotency_keys", state: .insufficientPrivilege),
        Violation(sql: "ALTER TABLE wallets DISABLE TRIGGER USER", state: .insufficientPrivilege),
        Violation(sql: "SET session_replication_role = replica", state: .insufficientPrivilege),
        Violation(sql: "CREATE TABLE public.mine (id int)", state: .insufficientPrivilege),
    ]

    @Test("each violation by hand is refused by the rule that is there for it", arguments: violations)
    func refused(_ violation: Violation) async throws {
        let (fixture, wallet, deposit) = try await Self.unchanged.value()
        let version = try await fixture.pool.withSession { session in try WalletStore().wallet(session, wallet)?.version ?? 0 }
        let sql = violation.sql.replacing("'W'", with: "'\(wallet.uuid)'::uuid").replacing("'T'", with: "'\(deposit.uuid)'::uuid")
            .replacing("V +", with: "\(version) +")
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in try session.execute(PostgresQuery(unsafeSQL: sql)) }
        }
        #expect(error?.sqlState == violation.state)
        if let constraint = violation.constraint { #expect(error?.constraintName == constraint) }
    }

    @Test("append-only tables refuse their owner as well", arguments: ["transfers", "entries", "idempotency_keys", "wallet_changes"])
    func ownerRefused(_ table: String) async throws {
        let (fixture, _, _) = try await Self.unchanged.value()
        let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
        for statement in ["DELETE FROM \(table)", "TRUNCATE \(table)"] {
            let error = await #expect(throws: PostgresError.self) {
                try await owner.withSession { session in _ = try session.execute(PostgresQuery(unsafeSQL: statement)) }
            }
            #expect(error?.sqlState == .integrityConstraintViolation)
        }
        await owner.close()
    }

    @Test("verify names the row of a wrong refund total, of a lost event and of an altered transfer")
    func named() async throws {
        let changes: [(table: String, sql: String, kind: VerifyFinding.Kind)] = [
            ("refund_totals", "UPDATE refund_totals SET refunded = 299", .refund),
            ("outbox_events", "DELETE FROM outbox_events WHERE subject = 'S'", .outbox),
            ("transfers", "UPDATE transfers SET amount = 1001 WHERE id = 'T'", .transfer),
        ]
        for change in changes {
            let (fixture, _, deposit) = try await Self.refundedDeposit()
            #expect(try await fixture.verify().findings == [])
            let sql = change.sql.replacing("'T'", with: "'\(deposit.uuid)'").replacing("'S'", with: "'\(deposit)'")
            let owner = try await PostgresConnection.connect(PostgresConfiguration(url: fixture.database.ownerURL))
            try await owner.withSession { session in
                try session.unsafeScript("ALTER TABLE \(change.table) DISABLE TRIGGER USER")
                #expect(try session.execute(PostgresQuery(unsafeSQL: sql)) == 1)
            }
            await owner.close()
            let findings = try await fixture.verify().findings
            #expect(findings.contains { $0.kind == change.kind && $0.row == deposit.description }, "\(findings)")
        }
    }

    private static let unchanged = UnchangedLedger { try await refundedDeposit() }

    /// A wallet with 1000 deposited, 300 of which went back.
    private static func refundedDeposit() async throws -> (MoneyFixture, WalletID, TransferID) {
        let fixture = try await MoneyFixture()
        let wallet = try await fixture.openWallet()
        let deposit = try #require(try await fixture.post([MoneyFixture.deposit(wallet, 1_000)])[0].postedID)
        let refund = try await fixture.refund(of: deposit, 300)
        _ = try #require(try await fixture.post([refund])[0].postedID)
        return (fixture, wallet, deposit)
    }
}

extension MoneyFixture {
    /// A part of an earlier posting, given back by staff.
    func refund(of id: TransferID, _ amount: Int64, key: String = UUID().uuidString) async throws -> PostingRequest {
        let found = try await pool.withSession { session in try BatchStore().postings(session, [id])[id] }
        guard let found else { throw UnreadableRow(table: "transfers") }
        let access = WalletAccess.staff("usr_s")
        let original = OriginalTransfer(
            id: id, kind: found.kind, money: found.money, sourceWalletID: found.debit.walletID, destinationWalletID: found.credit.walletID)
        return PostingRequest(
            order: .posting(
                .refund(RefundRequest(money: Self.money(amount)), of: original, id: Self.newTransferID(), access: access)),
            key: Self.key(key, principal: access.principal, caller: "backoffice"),
            fingerprint: .refund(of: id, RefundRequest(money: Self.money(amount))), requestID: UUID().uuidString)
    }
}
