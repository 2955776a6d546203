import Contracts
import Foundation
import Logging
import Observability
import Outbox
import Postgres
import ServiceDatabase
import ServiceRuntime
import Testing

@testable import Identity

@Suite("Housekeeping of accounts and sessions") struct HousekeepingTests {
    private static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private let fixture: AccountFixture

    init() async throws {
        fixture = try await AccountFixture()
    }

    private func purge(_ rows: ExpiringRows, atMost limit: Int32 = 1_000) async throws -> Int {
        let now = fixture.clock.now
        return try await fixture.base.pool.withTransaction { session in try rows.purge(session, at: now, atMost: limit) }
    }

    @Test("ID-30: mailed codes and budgets go in bounded batches once their time is over, and not before")
    func codes() async throws {
        for index in 0..<5 {
            _ = try await fixture.register(
                RegisterUserRequest(email: "user\(index)@example.com", password: AccountFixture.password), AccountFixture.facts())
        }
        fixture.clock.advance(by: .seconds(600 + 3_599))
        #expect(try await purge(.mailedCodes) == 0)
        fixture.clock.advance(by: .seconds(2))
        #expect(try await purge(.mailedCodes, atMost: 3) == 3)
        #expect(try await purge(.mailedCodes, atMost: 3) == 2)
        #expect(try await purge(.mailedCodes, atMost: 3) == 0)
        #expect(try await purge(.mailBudgets) == 0)
        fixture.clock.advance(by: .seconds(86_400))
        // One per address and one per network.
        #expect(try await purge(.mailBudgets) == 10)
    }

    @Test("ID-30: sessions and devices go once they have ended and nothing names them")
    func sessions() async throws {
        let user = try await fixture.makeUser("ana@example.com")
        let (open, ended) = (try await fixture.base.makeSession(of: user.uuid), try await fixture.base.makeSession(of: user.uuid))
        let now = fixture.clock.now
        try await fixture.base.pool.withTransaction { connection in
            _ = try SessionStore().end(ended, of: user.uuid, reason: .endedByUser, at: now, connection)
        }
        try await fixture.base.execute(
            """
            INSERT INTO clients (id, name, is_confidential, is_first_party, grants, scopes, created_at)
            VALUES ('app', 'App', false, true, '{authorization_code}', '{openid}', now())
            """)
        try await fixture.base.execute(
            """
            INSERT INTO refresh_families (id, client_id, user_id, session_id, scopes, credential_generation, amr, authenticated_at, number,
                secret_hash, created_at, last_used_at, expires_at)
            VALUES (\(fixture.base.newID()), 'app', \(user.uuid), \(ended), '{openid}', 1, '{pwd}', \(now.stored), 1, sha256('x'),
                \(now.stored), \(now.stored), \(now.stored))
            """)
        fixture.clock.advance(by: .seconds(7 * 86_400 + 1))
        #expect(try await purge(.endedSessions) == 0)
        try await fixture.base.execute("DELETE FROM refresh_families")
        #expect(try await purge(.endedSessions) == 1)
        #expect(try await fixture.base.query("SELECT id FROM sessions") { row in try row.decode(UUID.self) } == [open])
        fixture.clock.advance(by: .seconds(30 * 86_400))
        #expect(try await purge(.expiredSessions) == 1)
        #expect(try await purge(.devices) == 0)
        fixture.clock.advance(by: .seconds(400 * 86_400))
        #expect(try await purge(.devices) == 2)
        #expect(try await fixture.base.count("users") == 1)
    }

    @Test("ID-30: each purge finds its rows by an index", arguments: ExpiringRows.all.indices)
    func indexes(index: Int) async throws {
        let rows = ExpiringRows.all[index]
        let statement = rows.statement(at: fixture.clock.now, atMost: 1_000)
        let plan = try await fixture.base.pool.withSession { session in
            // So few rows fit into one page, which is read at once wherever that is allowed.
            try session.transaction { session in
                try session.execute("SET LOCAL enable_seqscan = off")
                return try session.query(PostgresQuery(unsafeSQL: "EXPLAIN \(statement.sql)", binds: statement.binds)).map { row in
                    try row.decode(String.self)
                }
            }
        }.joined(separator: "\n")
        #expect(!plan.contains("Seq Scan"), "\(plan)")
        #expect(plan.contains("Index Scan using \(rows.table)_by_") || plan.contains("Index Scan on \(rows.table)_by_"), "\(plan)")
    }

    @Test("what is deleted is deleted by the service that does it, and rows and ages are metrics")
    func metrics() async throws {
        let registry = PrometheusRegistry()
        let watch = TableWatch(ExpiringRows.all, pool: fixture.base.pool, metrics: registry, logger: Self.quiet)
        _ = try await fixture.register(
            RegisterUserRequest(email: "ana@example.com", password: AccountFixture.password), AccountFixture.facts())
        try await fixture.base.execute("UPDATE mailed_codes SET expires_at = now() - interval '2 hours'")
        try await fixture.base.execute("ANALYZE mailed_codes")
        try await watch.look()
        #expect(registry.render().contains(#"identity_table_rows{table="mailed_codes"} 1"#))
        for rows in ExpiringRows.all where rows.table != "mailed_codes" && rows.table != "mail_budgets" {
            #expect(registry.render().contains("identity_table_oldest_age_seconds{table=\"\(rows.table)\"} 0"), "\(rows.table)")
        }
        #expect(registry.render().contains(/identity_table_oldest_age_seconds{table="mailed_codes"} 72[0-9][0-9]/))
        let expiry = RowExpiry(of: "mailed_codes", pool: fixture.base.pool, clock: ClockWitness(), logger: Self.quiet) { session, count in
            try ExpiringRows.mailedCodes.purge(session, at: .now(), atMost: count)
        }
        #expect(try await expiry.expire() == 1)
        try await watch.look()
        #expect(registry.render().contains(#"identity_table_oldest_age_seconds{table="mailed_codes"} 0"#))
    }
}
