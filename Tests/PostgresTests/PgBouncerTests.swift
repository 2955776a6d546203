import Postgres
import TestSupport
import Testing

/// What the driver promises must hold behind PgBouncer in transaction mode, where each transaction may meet another server connection.
@Suite(.timeLimit(.minutes(3)), .serialized) struct PgBouncerTests {
    private static let setUp = Task {
        let server = try await PostgresServer.shared()
        return (server: server, pooler: try await server.pooler(), database: try await server.makeDatabase())
    }

    private func makePool(connections: Int = 8) async throws -> PostgresPool {
        let (server, pooler, database) = try await Self.setUp.value
        let configuration = try PostgresConfiguration(url: pooler.url(database.ownerURL, server: server))
        return PostgresPool(
            configuration: configuration, options: PoolOptions(maximumConnections: connections, acquireTimeout: .seconds(20)))
    }

    @Test func `many clients share few server connections, by statement, pipeline and transaction`() async throws {
        let pool = try await makePool()
        let numbers = (0..<500).map { Int64($0) }
        let processes = Locked<Set<Int32>>([])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<40 {
                group.addTask {
                    let sum = try await pool.withSession { session in
                        let results = try session.pipeline([
                            "SELECT sum(n)::int8 FROM unnest(\(numbers)) AS n", "SELECT pg_backend_pid()", "SELECT \("text")",
                        ])
                        let process = try results[1][0].decode(Int32.self)
                        processes.withLock { _ = $0.insert(process) }
                        return try results[0][0].decode(Int64.self)
                    }
                    #expect(sum == 499 * 250)
                    let seen = try await pool.withTransaction(TransactionOptions(statementTimeout: .seconds(7))) { session in
                        try session.query("SHOW statement_timeout")[0].decode(String.self)
                    }
                    #expect(seen == "7s")
                }
            }
            try await group.waitForAll()
        }
        #expect(processes.withLock { $0.count } <= PgBouncer.serverConnections)
        let leftover = try await pool.withSession { session in try session.query("SHOW statement_timeout")[0].decode(String.self) }
        #expect(leftover == "0")
    }

    @Test func `errors in a pipeline and in a transaction leave the client usable`() async throws {
        let pool = try await makePool(connections: 1)
        let piped = await postgresFailure {
            try await pool.withSession { session in try session.pipeline(["SELECT 1", "SELECT 1/0", "SELECT 2"]).count }
        }
        #expect(piped?.sqlState == .divisionByZero)
        #expect(piped?.failedStatementIndex == 1)
        let inTransaction = await postgresFailure {
            try await pool.withTransaction { session in try session.execute("SELECT 1/0") }
        }
        #expect(inTransaction?.sqlState == .divisionByZero)
        try await pool.ping()
        #expect(pool.statistics.totalOpened == 1)
    }

    @Test func `cancelling a task cancels its statement through the pooler, and nobody else's`() async throws {
        let pool = try await makePool()
        let (server, _, database) = try await Self.setUp.value
        let task = Task {
            await postgresFailure { try await pool.withSession { session in try session.execute(.hanging("mark-p")) } }
        }
        let bystander = Task { try await pool.withSession { session in try session.query("SELECT pg_sleep(1)").count } }
        let watcher = try await server.superuserConnection(database: database.name)
        #expect(
            try await eventually {
                try await watcher.withSession { session in
                    try session.query("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT ''mark-p''%'").count == 1
                }
            })
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
        #expect(try await bystander.value == 1)
        try await pool.ping()
    }

    @Test func `migrations run through the pooler, ten at once`() async throws {
        let (server, pooler, database) = try await Self.setUp.value
        let files = MigrationFiles()
        try files.write("pooled", "0001_first.sql", "CREATE TABLE pooled (n int);")
        try files.write("pooled", "0002_second.sql", "INSERT INTO pooled VALUES (1);")
        let migrator = try files.migrator("pooled")
        let url = pooler.url(database.ownerURL, server: server)
        let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
            for _ in 0..<10 {
                group.addTask {
                    try await PostgresConnection.connect(PostgresConfiguration(url: url)).withSession { session in
                        try migrator.migrate(session)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.map(\.version).sorted() == [1, 2])
    }
}
