import Postgres
import TestSupport
import Testing

/// A database that takes no writes for a while, as a demoted primary does: a session that was opened meanwhile stays read-only.
@Suite("A pool on a database that takes no writes", .timeLimit(.minutes(3)))
struct ReadOnlyServerTests {
    private static let server = Task { try await PostgresServer.startSeparate() }

    private struct Fixture {
        let database: TestDatabase

        init() async throws {
            database = try await ReadOnlyServerTests.server.value.makeDatabase()
            try await database.server.execute(
                ["CREATE TABLE notes (text text)", "GRANT ALL ON notes TO \(database.roles.serving)"], database: database.name)
        }

        func pool(_ options: PoolOptions = PoolOptions(maximumConnections: 1, acquireTimeout: .seconds(20))) throws -> PostgresPool {
            PostgresPool(configuration: try PostgresConfiguration(url: database.servingURL), options: options)
        }

        /// For sessions opened from now on.
        func set(takesWrites: Bool) async throws {
            let role = "ALTER ROLE \(database.roles.serving) IN DATABASE \(database.name)"
            try await database.server.execute([
                takesWrites ? "\(role) RESET default_transaction_read_only" : "\(role) SET default_transaction_read_only = on"
            ])
        }
    }

    private func write(_ pool: PostgresPool) async throws {
        try await pool.withTransaction { session in _ = try session.execute("INSERT INTO notes VALUES ('x')") }
    }

    private func process(_ pool: PostgresPool) async throws -> Int32 {
        try await pool.withSession { session in
            _ = try session.query("SELECT count(*) FROM notes")
            return session.backendProcessID
        }
    }

    @Test("a session that refused a write is not lent again, whether in a transaction or outside of one")
    func dropped() async throws {
        let fixture = try await Fixture()
        try await fixture.set(takesWrites: false)
        let pool = try fixture.pool()
        for isInTransaction in [true, false] {
            let before = pool.statistics.totalOpened
            let error = await postgresFailure {
                if isInTransaction {
                    try await write(pool)
                } else {
                    try await pool.withSession { session in _ = try session.execute("INSERT INTO notes VALUES ('x')") }
                }
            }
            #expect(error?.sqlState == .readOnlyTransaction)
            _ = try await process(pool)
            #expect(pool.statistics.totalOpened > before)
        }
        _ = await postgresFailure { try await write(pool) }
        try await fixture.set(takesWrites: true)
        try await write(pool)
    }

    @Test("what a reader opened meanwhile answers reads, and is replaced soon after writes are taken again: no writer meets it")
    func replaced() async throws {
        let fixture = try await Fixture()
        try await fixture.set(takesWrites: false)
        let pool = try fixture.pool()
        let readOnly = try await process(pool)
        try await fixture.set(takesWrites: true)
        #expect(try await eventually { try await process(pool) != readOnly })
        try await write(pool)
    }

    @Test("a transaction that was declared READ ONLY refuses a write by itself, which says nothing of the server")
    func declared() async throws {
        let fixture = try await Fixture()
        let pool = try fixture.pool()
        let session = try await process(pool)
        let error = await postgresFailure {
            try await pool.withTransaction(TransactionOptions(isReadOnly: true)) { session in
                _ = try session.execute("INSERT INTO notes VALUES ('x')")
            }
        }
        #expect(error?.sqlState == .readOnlyTransaction)
        #expect(try await process(pool) == session)
    }
}
