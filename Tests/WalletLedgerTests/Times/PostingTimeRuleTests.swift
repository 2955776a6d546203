import Contracts
import Foundation
import Idempotency
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

/// What the serving role might write into the past, or with another time than now; the database refuses it by itself.
@Suite("Times and versions in the database", .onEachDatabasePath)
struct PostingTimeRuleTests {
    struct Violation: Sendable, CustomTestStringConvertible {
        let name: String
        let constraint: String
        let sql: String
        var testDescription: String { name }

        init(_ name: String, _ constraint: String, _ sql: String) { (self.name, self.constraint, self.sql) = (name, constraint, sql) }
    }

    /// A transfer of 1 from `W` to `X`, as a batch would write it: its time, and its wallets' last time.
    private static func transfer(postedAt: String, entriesAt: String? = nil, lastPostedAt: String) -> String {
        """
        WITH s AS (
            UPDATE wallets SET balance = balance - 1, version = version + 1, last_posted_at = \(lastPostedAt) WHERE id = 'W' RETURNING *
        ), d AS (
            UPDATE wallets SET balance = balance + 1, version = version + 1, last_posted_at = \(lastPostedAt) WHERE id = 'X' RETURNING *
        ), t AS (
            INSERT INTO transfers
            SELECT gen_random_uuid(), 1, 1, 'EUR', s.id, s.version, d.id, d.version, NULL, 'x', NULL, gen_random_uuid(), \(postedAt)
            FROM s, d RETURNING *
        )
        INSERT INTO entries
        SELECT s.id, s.version, t.id, -1, s.balance, \(entriesAt ?? postedAt) FROM s, t
        UNION ALL SELECT d.id, d.version, t.id, 1, d.balance, \(entriesAt ?? postedAt) FROM d, t
        """
    }

    /// Two entries of a made-up transfer, at versions that something else took.
    private static func entries(version: Int, at time: String, amount: Int = 700) -> String {
        """
        WITH t AS (
            INSERT INTO transfers
            SELECT gen_random_uuid(), 1, \(amount), 'EUR', 'X', \(version), 'W', \(version), NULL, 'x', NULL, gen_random_uuid(), \(time)
            RETURNING *
        ), back AS (
            INSERT INTO transfers
            SELECT gen_random_uuid(), 1, \(amount), 'EUR', 'W', \(version + 1), 'X', \(version + 1), NULL, 'x', NULL, gen_random_uuid(), \(time)
            RETURNING *
        )
        INSERT INTO entries
        SELECT 'X'::uuid, \(version), id, -\(amount), 1000 - \(amount), \(time) FROM t
        UNION ALL SELECT 'W'::uuid, \(version), id, \(amount), 1000 + \(amount), \(time) FROM t
        UNION ALL SELECT 'W'::uuid, \(version + 1), id, -\(amount), 1000, \(time) FROM back
        UNION ALL SELECT 'X'::uuid, \(version + 1), id, \(amount), 1000, \(time) FROM back
        """
    }

    private static let hourAgo = "now() - interval '1 hour'"
    private static let inAnHour = "now() + interval '1 hour'"

    private static let violations = [
        Violation("entries at versions that freezes took, with an old time", "transfers_are_now", entries(version: 2, at: hourAgo)),
        Violation("entries at versions that freezes took", "entries_follow", entries(version: 2, at: "now()")),
        Violation("entries at versions that holds took", "entries_follow", entries(version: 4, at: "now()")),
        Violation(
            "a posting into the past", "wallets_follow_entries",
            transfer(postedAt: hourAgo, lastPostedAt: "now()")),
        Violation(
            "a posting before its transaction began", "wallets_follow_entries",
            transfer(postedAt: "now() - interval '1 microsecond'", lastPostedAt: "now()")),
        Violation(
            "a posting into the future", "wallets_follow_entries", transfer(postedAt: inAnHour, lastPostedAt: inAnHour)),
        Violation(
            "a posting of now whose entries lie in the past", "wallets_follow_entries",
            transfer(postedAt: "now()", entriesAt: hourAgo, lastPostedAt: "now()")),
        Violation(
            "a posting of now whose entries lie in the future", "wallets_follow_entries",
            transfer(postedAt: "now()", entriesAt: inAnHour, lastPostedAt: inAnHour)),
        Violation(
            "a posting that puts its wallets' last time ahead", "wallets_follow_entries",
            transfer(postedAt: "now()", lastPostedAt: "now() + interval '1 second'")),
        Violation(
            "a wallet's last time put ahead by itself", "wallets_follow_entries",
            "UPDATE wallets SET last_posted_at = \(inAnHour) WHERE id = 'W'"),
        Violation(
            "a wallet's last time moved by itself", "wallets_follow_entries", "UPDATE wallets SET last_posted_at = now() WHERE id = 'W'"),
        Violation(
            "a wallet with a limit", "wallet_begins_empty",
            "INSERT INTO wallets (id, opened_by, currency, overdraft_limit, opened_at, last_posted_at) "
                + "VALUES (gen_random_uuid(), 'x', 'EUR', 5, now(), now())"),
        Violation(
            "a wallet that is closed", "wallet_begins_empty",
            "INSERT INTO wallets (id, opened_by, currency, status, opened_at, last_posted_at) VALUES (gen_random_uuid(), 'x', 'EUR', 3, now(), now())"
        ),
        Violation(
            "a wallet of the future", "wallet_begins_empty",
            "INSERT INTO wallets (id, opened_by, currency, opened_at, last_posted_at) VALUES (gen_random_uuid(), 'x', 'EUR', \(inAnHour), \(inAnHour))"
        ),
        Violation(
            "a wallet of the past", "wallet_begins_empty",
            "INSERT INTO wallets (id, opened_by, currency, opened_at, last_posted_at) VALUES (gen_random_uuid(), 'x', 'EUR', \(hourAgo), \(hourAgo))"),
        Violation(
            "a wallet whose last time lies ahead", "wallet_begins_empty",
            "INSERT INTO wallets (id, opened_by, currency, opened_at, last_posted_at) VALUES (gen_random_uuid(), 'x', 'EUR', now(), \(inAnHour))"),
        Violation(
            "a wallet of the world that is not one of the sixteen", "wallet_begins_empty",
            "INSERT INTO wallets (id, opened_by, currency, is_world, opened_at, last_posted_at) VALUES (gen_random_uuid(), 'world', 'EUR', true, now(), now())"
        ),
        Violation(
            "a wallet of the world of another currency", "wallet_begins_empty",
            "INSERT INTO wallets (id, opened_by, currency, is_world, opened_at, last_posted_at) "
                + "VALUES ('00000000-0000-7000-8000-000055534400', 'world', 'SEK', true, now(), now())"),
        Violation(
            "a wallet of the world with an owner", "wallet_begins_empty",
            "INSERT INTO wallets (id, owner_id, opened_by, currency, is_world, opened_at, last_posted_at) "
                + "VALUES ('00000000-0000-7000-8000-000053454b00', gen_random_uuid(), 'world', 'SEK', true, now(), now())"),
        Violation(
            "a customer's wallet among the world's", "wallet_begins_empty",
            "INSERT INTO wallets (id, opened_by, currency, opened_at, last_posted_at) "
                + "VALUES ('00000000-0000-7000-8000-000053454b00', 'x', 'SEK', now(), now())"),
        Violation(
            "a wallet in a currency that is none", "wallet_currency_active",
            "INSERT INTO wallets (id, opened_by, currency, opened_at, last_posted_at) VALUES (gen_random_uuid(), 'x', 'XQZ', now(), now())"),
        Violation(
            "a wallet in a currency that left", "wallet_currency_active",
            "INSERT INTO wallets (id, opened_by, currency, opened_at, last_posted_at) VALUES (gen_random_uuid(), 'x', 'HRK', now(), now())"),
        Violation(
            "a hold that expires before its time", "hold_changes_follow",
            """
            WITH w AS (
                UPDATE wallets SET held = held - 50, version = version + 1, last_posted_at = now() WHERE id = 'W' RETURNING *
            ), h AS (
                UPDATE holds SET status = 3 WHERE wallet_id = 'W' AND status = 0 RETURNING *
            )
            INSERT INTO hold_changes
            SELECT w.id, w.version, h.id, 4, 0, 0, 50, w.held, 0, 3, NULL, gen_random_uuid(), now() FROM w, h
            """),
        Violation(
            "a hold and its void at versions that freezes took", "hold_changes_follow",
            """
            WITH h AS (
                INSERT INTO holds
                SELECT gen_random_uuid(), 'W', 'X', 5, 'EUR', 0, 2, 'x', now(), now() + interval '1 hour' RETURNING *
            )
            INSERT INTO hold_changes
            SELECT 'W'::uuid, 2, id, 1, 5, 0, 0, 5, 0, 0, NULL::uuid, gen_random_uuid(), now() FROM h
            UNION ALL SELECT 'W'::uuid, 3, id, 3, 0, 0, 5, 0, 0, 2, NULL, gen_random_uuid(), now() FROM h
            """),
        Violation(
            "a change of state at the version of a hold", "wallet_changes_follow",
            """
            INSERT INTO wallet_changes SELECT id, version, 4, status, overdraft_limit, 'x', 'x', 'x', now() FROM wallets WHERE id = 'W'
            """),
        Violation(
            "a change of state with another time than now", "wallet_changes_follow",
            """
            WITH w AS (
                UPDATE wallets SET status = 1, version = version + 1, last_posted_at = now() WHERE id = 'W' RETURNING *
            )
            INSERT INTO wallet_changes SELECT id, version, 1, 1, 0, 'x', 'x', 'x', \(hourAgo) FROM w
            """),
    ]

    private static let unchanged = UnchangedLedger { try await history() }

    /// Two wallets of 1000 each: version 1 is a deposit, 2 and 3 are changes of state, 4 and 5 a hold and its void, 6 an open hold of 50.
    private static func history() async throws -> (MoneyFixture, WalletID, WalletID) {
        let fixture = try await MoneyFixture()
        let staff = RequestOrigin(caller: "backoffice", access: .staff("usr_s"), key: nil, requestID: "change")
        let wallets = [try await fixture.openWallet(), try await fixture.openWallet()]
        for (wallet, other) in [(wallets[0], wallets[1]), (wallets[1], wallets[0])] {
            _ = try await fixture.post([MoneyFixture.deposit(wallet, 1_000)])
            let change = ChangeWallet(pool: fixture.pool, clock: fixture.clock)
            _ = try await change(wallet, .freeze(.debits), reason: "a gap", staff)
            _ = try await change(wallet, .unfreeze, reason: "a gap", staff)
            let hold = MoneyFixture.newHold(wallet, other, 50)
            _ = try await fixture.post([MoneyFixture.place(hold)])
            _ = try await fixture.post([MoneyFixture.void(hold)])
            _ = try await fixture.post([MoneyFixture.place(MoneyFixture.newHold(wallet, other, 50))])
        }
        return (fixture, wallets[0], wallets[1])
    }

    @Test("the serving role is refused what would change the past or lie in the future", arguments: violations)
    func refused(_ violation: Violation) async throws {
        let (fixture, wallet, other) = try await Self.unchanged.value()
        let sql = violation.sql.replacing("'W'", with: "'\(wallet.uuid)'::uuid").replacing("'X'", with: "'\(other.uuid)'::uuid")
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in try session.execute(PostgresQuery(unsafeSQL: sql)) }
        }
        #expect(error?.sqlState == .integrityConstraintViolation)
        #expect(error?.constraintName == violation.constraint)
        #expect(try await fixture.verify().findings == [])
    }

    @Test("the database and the contracts know the same currencies in use")
    func currencies() async throws {
        let (fixture, _, _) = try await Self.unchanged.value()
        let codes = try await fixture.pool.withSession { session in
            try session.query("SELECT code FROM active_currencies").map { row in try row.decode(String.self) }
        }
        #expect(codes.sorted() == Currency.active.map(\.code).sorted())
    }

    @Test("a wallet that has rested leaves no room between its last time and now", arguments: [hourAgo, "now() - interval '1 microsecond'"])
    func rested(_ time: String) async throws {
        let (fixture, wallet, other) = try await Self.history()
        try await Self.rest(fixture)
        let sql = Self.transfer(postedAt: time, lastPostedAt: time)
            .replacing("'W'", with: "'\(wallet.uuid)'::uuid").replacing("'X'", with: "'\(other.uuid)'::uuid")
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in try session.execute(PostgresQuery(unsafeSQL: sql)) }
        }
        #expect(error?.constraintName == "transfers_are_now")
    }

    @Test("a transaction that was opened early writes nothing of then")
    func openedEarly() async throws {
        let (fixture, wallet, other) = try await Self.history()
        try await Self.rest(fixture)
        let sql = Self.transfer(postedAt: "now()", lastPostedAt: "now()")
            .replacing("'W'", with: "'\(wallet.uuid)'::uuid").replacing("'X'", with: "'\(other.uuid)'::uuid")
        let error = await #expect(throws: PostgresError.self) {
            try await fixture.pool.withTransaction { session in
                try session.execute("SELECT pg_sleep(15.1)")
                try session.execute(PostgresQuery(unsafeSQL: sql))
            }
        }
        #expect(error?.constraintName == "transfers_are_now")
    }

    /// As if nothing had happened for a day.
    private static func rest(_ fixture: MoneyFixture) async throws {
        try await fixture.database.server.execute(
            [
                "ALTER TABLE wallets DISABLE TRIGGER USER", "UPDATE wallets SET last_posted_at = now() - interval '1 day'",
                "ALTER TABLE wallets ENABLE TRIGGER USER",
            ], database: fixture.database.name)
    }

    @Test("the same transfer with its own time is taken: only what is wrong with the others is refused")
    func taken() async throws {
        let (fixture, wallet, other) = try await Self.history()
        let sql = Self.transfer(postedAt: "now()", lastPostedAt: "now()")
            .replacing("'W'", with: "'\(wallet.uuid)'::uuid").replacing("'X'", with: "'\(other.uuid)'::uuid")
        try await fixture.pool.withTransaction { session in try session.execute(PostgresQuery(unsafeSQL: sql)) }
        #expect(try await fixture.balance(wallet) == 999)
    }
}
