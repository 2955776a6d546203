import Contracts
import Postgres
import TestSupport
import Testing

@testable import WalletLedger

@Suite("A ledger whose database takes no writes", .onEachDatabasePath, .timeLimit(.minutes(3)))
struct LedgerReadOnlyTests {
    /// Changes what the role's next sessions may do and ends those that are there, the pooler's too, as a fail-over does.
    private static func set(_ fixture: MoneyFixture, takesWrites: Bool) async throws {
        let (server, database) = (fixture.database.server, fixture.database.name)
        let role = "ALTER ROLE \(fixture.database.roles.serving) IN DATABASE \(database)"
        try await server.execute([
            takesWrites ? "\(role) RESET default_transaction_read_only" : "\(role) SET default_transaction_read_only = on",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database)' AND usename = 'wallet_ledger'",
        ])
    }

    /// The outcomes of as many transfers as there are, ordered at once.
    private static func post(_ queue: PostingQueue, _ requests: [PostingRequest]) async -> [PostingOutcome] { await queue.post(requests) }

    @Test("every posting is unavailable while no writes are taken, none an error; without a restart they succeed once they are")
    func failover() async throws {
        let fixture = try await MoneyFixture()
        let (a, b) = (try await fixture.openWallet(), try await fixture.openWallet())
        _ = try await fixture.post([MoneyFixture.deposit(a, 100)])
        try await fixture.withReplicas(1) { queues in
            #expect(await queues[0].post(MoneyFixture.transfer(a, b, 1)).postedID != nil)
            try await Self.set(fixture, takesWrites: false)
            // What was under way when its session was ended may be told that its outcome is unknown.
            #expect(
                try await eventually { await queues[0].post(MoneyFixture.transfer(a, b, 1)) == .failed(.unavailable) })
            let outcomes = await Self.post(queues[0], (0..<8).map { _ in MoneyFixture.transfer(a, b, 1) })
            #expect(outcomes.allSatisfy { $0 == .failed(.unavailable) }, "\(outcomes)")
            try await Self.set(fixture, takesWrites: true)
            #expect(try await eventually { await queues[0].post(MoneyFixture.transfer(a, b, 1)).postedID != nil })
        }
        #expect(try await fixture.reconnected().verify().findings == [])
    }

    @Test("what nobody's posting passes fails the batch as one, at once: it is not tried in halves", arguments: ["53100", "25006", "58030"])
    func wholeBatch(_ state: String) async throws {
        let fixture = try await MoneyFixture()
        let (a, b) = (try await fixture.openWallet(), try await fixture.openWallet())
        _ = try await fixture.post([MoneyFixture.deposit(a, 100)])
        try await fixture.database.server.execute(
            [
                "CREATE SEQUENCE tries", "GRANT USAGE ON SEQUENCE tries TO PUBLIC",
                """
                CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM nextval('tries'); RAISE SQLSTATE '\(state)'; END $$
                """,
                "CREATE TRIGGER refuse BEFORE INSERT ON transfers EXECUTE FUNCTION refuse()",
            ], database: fixture.database.name)
        let outcomes = try await fixture.withReplicas(1) { queues in
            await Self.post(queues[0], (0..<8).map { _ in MoneyFixture.transfer(a, b, 1) })
        }
        #expect(outcomes.allSatisfy { $0 == .failed(.unavailable) }, "\(outcomes)")
        let connection = try await fixture.database.server.superuserConnection(database: fixture.database.name)
        let tries: Int64 = try await connection.withSession { session in try session.query("SELECT last_value FROM tries")[0].decode(Int64.self) }
        await connection.close()
        #expect(tries == 1)
    }
}
