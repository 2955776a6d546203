import Contracts
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import WalletLedger

/// Two million entries, one wallet with half of them: what each read touches, by the server's own count.
@Suite("The plans of the ledger's reads", .serialized)
struct HistoryPlanTests {
    private static let transfers: Int64 = 1_000_000
    private static let others: Int64 = 1_000
    private static let first = Timestamp(microsecondsSinceUnixEpoch: 1_760_000_000_000_000)
    private static let owner = MoneyFixture.owner
    private static let hot = WalletID(UUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0000))
    private static let made = Task { try await fill() }

    /// One wallet receives a unit each millisecond, from a thousand others in turn.
    private static func fill() async throws -> MoneyFixture {
        // Nothing here is to survive anything, so nothing waits for a disk.
        let server = try await PostgresServer.startSeparate(settings: [
            "fsync": "off", "wal_level": "minimal", "max_wal_senders": "0", "autovacuum": "off",
        ])
        let fixture = try await MoneyFixture(server: server)
        let connection = try await server.superuserConnection(database: fixture.database.name)
        try await connection.withSession(within: .within(.seconds(600))) { session in
            try session.unsafeScript(
                """
                SET session_replication_role = replica;
                SET maintenance_work_mem = '512MB';
                CREATE FUNCTION pg_temp.wallet(n bigint) RETURNS uuid IMMUTABLE LANGUAGE sql
                AS $$ SELECT ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid $$;
                INSERT INTO wallets (id, owner_id, opened_by, currency, overdraft_limit, balance, version, opened_at, last_posted_at)
                SELECT pg_temp.wallet(n), '\(owner.uuid)', 'client:bank', 'EUR', 1000000, CASE n WHEN 0 THEN \(transfers) ELSE -1000 END,
                    CASE n WHEN 0 THEN \(transfers) ELSE 1000 END, to_timestamp(1760000000), now()
                FROM generate_series(0, \(others)) n;
                INSERT INTO wallets (id, owner_id, opened_by, currency, opened_at, last_posted_at)
                SELECT gen_random_uuid(), gen_random_uuid(), 'client:other' || n % 10, 'EUR', now(), now() FROM generate_series(1, 50000) n;
                INSERT INTO holds (id, wallet_id, destination_wallet_id, amount, currency, captured, status, placed_by, placed_at, expires_at)
                SELECT pg_temp.wallet(n), CASE WHEN n % 2 = 0 THEN '\(hot.uuid)' ELSE pg_temp.wallet(5 + n / 2 % 400) END,
                    pg_temp.wallet(1), 1, 'EUR', CASE WHEN n % 1000 < 2 THEN 0 ELSE 1 END, CASE WHEN n % 1000 < 2 THEN 0 ELSE 1 END,
                    'client:bank', now(), now() + interval '1 hour'
                FROM generate_series(1, 200000) n;
                ALTER TABLE entries DROP CONSTRAINT entries_pkey;
                ALTER TABLE transfers DROP CONSTRAINT transfers_pkey;
                CREATE TEMP TABLE payers AS SELECT n, pg_temp.wallet(n + 1) AS id FROM generate_series(0, \(others - 1)) n;
                CREATE TEMP TABLE made AS
                SELECT g.n, gen_random_uuid() AS id, p.id AS payer, g.n / \(others) + 1 AS version,
                    to_timestamp(1760000000) + g.n * interval '1 millisecond' AS at
                FROM generate_series(0, \(transfers - 1)) g (n) JOIN payers p ON p.n = g.n % \(others);
                INSERT INTO transfers
                SELECT id, CASE WHEN n % 100000 = 7 THEN 2 ELSE 1 END, 1, 'EUR', payer, version, '\(hot.uuid)', n + 1, NULL, 'client:bank',
                    CASE WHEN n % 1000 = 0 THEN 'reference-' || n END, id, at
                FROM made ORDER BY n;
                INSERT INTO entries
                SELECT l.* FROM made m, LATERAL (
                    VALUES (m.payer, m.version, m.id, -1, -m.version, m.at), ('\(hot.uuid)'::uuid, m.n + 1, m.id, 1, m.n + 1, m.at)) l
                ORDER BY m.n;
                ALTER TABLE entries ADD PRIMARY KEY (wallet_id, version);
                ALTER TABLE transfers ADD PRIMARY KEY (id);
                DROP TABLE made, payers;
                """)
        }
        await connection.close()
        return fixture
    }

    /// A read and the most blocks that it may touch.
    struct Read: Sendable, CustomTestStringConvertible {
        let name: String
        let budget: Int64
        let query: PostgresQuery
        var testDescription: String { name }
    }

    private static func time(_ transfer: Int64) -> Timestamp {
        Timestamp(microsecondsSinceUnixEpoch: first.microsecondsSinceUnixEpoch + transfer * 1_000)
    }

    private static var reads: [Read] {
        let history = HistoryStore()
        let listing = ListingStore()
        let holds = HoldStore()
        let payer = WalletID(UUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0005))
        return [
            Read(name: "wallet", budget: 10, query: history.walletQuery(hot)),
            Read(name: "balance at the beginning", budget: 150, query: history.lastEntryQuery(hot, before: time(1))),
            Read(name: "balance in the middle", budget: 150, query: history.lastEntryQuery(hot, before: time(543_210))),
            Read(name: "balance lately", budget: 150, query: history.lastEntryQuery(hot, before: time(999_990))),
            Read(name: "balance of a small wallet", budget: 80, query: history.lastEntryQuery(payer, before: time(543_210))),
            Read(name: "statement's page", budget: 60, query: history.entriesQuery(hot, after: 400_000, upTo: 900_000, limit: 101)),
            Read(name: "statement's totals", budget: 100, query: history.totalsQuery(hot, after: 1_000, upTo: 999_000)),
            Read(name: "totals of a short period", budget: 100, query: history.totalsQuery(hot, after: 500_000, upTo: 501_000)),
            Read(name: "latest entries", budget: 60, query: history.latestEntriesQuery(hot, after: 0, before: .max, limit: 101)),
            Read(name: "latest entries of a small wallet", budget: 150, query: history.latestEntriesQuery(payer, after: 0, before: .max, limit: 101)),
            Read(
                name: "latest entries before", budget: 60, query: history.latestEntriesQuery(hot, after: 200_000, before: 600_000, limit: 101)),
            Read(name: "entries of a rare kind", budget: 4_000, query: history.latestEntriesQuery(hot, kind: .refund, after: 0, before: .max)),
            Read(
                name: "entries of a rare kind of a small wallet", budget: 4_000,
                query: history.latestEntriesQuery(payer, kind: .deposit, after: 0, before: 900)),
            Read(name: "an owner's wallets", budget: 130, query: listing.walletsQuery(.ownedBy(owner), before: nil, limit: 101)),
            Read(name: "an owner's later wallets", budget: 130, query: listing.walletsQuery(.ownedBy(owner), before: payer, limit: 101)),
            Read(name: "a client's wallets", budget: 130, query: listing.walletsQuery(.openedBy("client:other3"), before: nil, limit: 101)),
            Read(name: "latest holds", budget: 130, query: holds.latestQuery(hot, openOnly: false, before: nil, limit: 101)),
            Read(name: "latest holds of a small wallet", budget: 130, query: holds.latestQuery(payer, openOnly: false, before: nil, limit: 101)),
            Read(name: "open holds", budget: 130, query: holds.latestQuery(hot, openOnly: true, before: nil, limit: 101)),
            Read(name: "open holds of a small wallet", budget: 130, query: holds.latestQuery(payer, openOnly: true, before: nil, limit: 101)),
            Read(name: "legs' wallets", budget: 60, query: listing.walletsQuery([hot, payer])),
            Read(name: "reference", budget: 10, query: listing.referenceQuery("reference-5000", orderedBy: "client:bank")),
        ]
    }

    @Test("no read of the past or of a list touches more than its budget or scans a table, with statistics and without")
    func budgets() async throws {
        let fixture = try await Self.made.value
        try await buildTotals(fixture)
        let superuser = try await fixture.database.server.superuserConnection(database: fixture.database.name)
        for statistics in [false, true] {
            if statistics { try await superuser.withSession(within: .within(.seconds(600))) { session in _ = try session.execute("ANALYZE") } }
            for read in Self.reads {
                let plan = try await explain(fixture, read.query)
                let blocks = (plan["Shared Hit Blocks"]?.integerValue ?? .max) + (plan["Shared Read Blocks"]?.integerValue ?? 0)
                #expect(blocks <= read.budget, "\(read.name), statistics \(statistics)")
                #expect(Self.scans(plan) == [], "\(read.name), statistics \(statistics)")
            }
        }
        await superuser.close()
    }

    @Test("a page of transfers with both their legs scans no table")
    func transferPages() async throws {
        let fixture = try await Self.made.value
        let list = ListLedger(pool: fixture.pool)
        let before = try await Self.tableScans(fixture)
        for kind in [nil, PostingKind.deposit] {
            let filter = ListLedger.EntryFilter(wallet: Self.hot, kind: kind)
            let page = try #require(try await list.transfers(filter, before: nil, limit: 100, .user(Self.owner)))
            #expect(page.items.count == (kind == nil ? 100 : 0) && page.next != nil)
        }
        #expect(try await Self.tableScans(fixture) == before)
    }

    /// How often a table that grows was read from end to end, by whomever.
    private static func tableScans(_ fixture: MoneyFixture) async throws -> Int64 {
        // Other connections of the pool have told by now what they did, or do when they are told to.
        try await fixture.pool.withSession { session in _ = try session.query("SELECT pg_stat_force_next_flush()") }
        return try await fixture.pool.withSession { session in
            try session.query(
                """
                SELECT sum(seq_scan)::bigint FROM pg_stat_user_tables WHERE relname IN ('entries', 'transfers', 'wallets', 'entry_totals')
                """)[0].decode(Int64.self)
        }
    }

    @Test("a statement's totals over a million entries are their sums, made once")
    func totals() async throws {
        let fixture = try await Self.made.value
        let history = HistoryStore()
        for (first, last) in [(0, 1_000_000), (1, 999_999), (1_023, 2_047), (1_024, 2_048), (5, 6), (7, 7), (400_000, 402_048)] as [(Int64, Int64)] {
            let totals = try await fixture.pool.withSession { session in try history.totals(session, Self.hot, after: first, upTo: last) }
            #expect(totals?.credits == Int128(last - first) && totals?.debits == 0, "\(first) to \(last)")
        }
        let payer = WalletID(UUID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0005))
        let totals = try await fixture.pool.withSession { session in try history.totals(session, payer, after: 100, upTo: 1_000) }
        #expect(totals?.credits == 0 && totals?.debits == 900)
        let refused = await #expect(throws: PostgresError.self) {
            _ = try await fixture.pool.withSession { session in try history.totals(session, payer, after: 0, upTo: 9_000) }
        }
        #expect(refused?.kind == .server)
        let unwritten = await #expect(throws: PostgresError.self) {
            _ = try await fixture.pool.withSession { session in try session.execute("INSERT INTO entry_totals VALUES (gen_random_uuid(), 1, 1, 1)") }
        }
        #expect(unwritten?.sqlState == .insufficientPrivilege)
    }

    private func buildTotals(_ fixture: MoneyFixture) async throws {
        _ = try await fixture.pool.withSession { session in try HistoryStore().totals(session, Self.hot, after: 0, upTo: Self.transfers) }
    }

    private func explain(_ fixture: MoneyFixture, _ query: PostgresQuery) async throws -> JSONValue {
        let text: String = try await fixture.pool.withSession { session in
            let explained = PostgresQuery(unsafeSQL: "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) " + query.sql, binds: query.binds)
            return try session.query(explained)[0].decode(PostgresJSON.self).text
        }
        return try #require(try JSONParser.parse(Array(text.utf8))[0]?["Plan"])
    }

    /// The tables that a plan reads from end to end.
    private static func scans(_ plan: JSONValue) -> [String] {
        let own = plan["Node Type"]?.stringValue == "Seq Scan" ? [plan["Relation Name"]?.stringValue ?? ""] : []
        return own + (plan["Plans"]?.arrayValue ?? []).flatMap(scans)
    }
}
