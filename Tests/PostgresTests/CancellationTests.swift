import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct CancellationTests {
    private func isSleeping(_ mark: String) async throws -> Bool {
        try await withSuperuserSession { session in
            try session.query("SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE \("SELECT '\(mark)'%")").count == 1
        }
    }

    @Test func `cancelling the task cancels its statement, and the connection lives on`() async throws {
        let pool = PostgresPool(
            configuration: try PostgresConfiguration(url: await PostgresServer.shared().url(database: "postgres")),
            options: PoolOptions(maximumConnections: 1))
        let task = Task {
            await postgresFailure {
                try await pool.withTransaction { session in try session.execute(.hanging("mark-a")) }
            }
        }
        #expect(try await eventually { try await isSleeping("mark-a") })
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
        try await pool.ping()
        #expect(pool.statistics.totalOpened == 1)
        #expect(pool.statistics.inUse == 0)
    }

    @Test func `after cancellation no further statement starts, and the transaction is gone`() async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        try await connection.withSession { session in try session.unsafeScript("CREATE TEMP TABLE kept (n int)") }
        let task = Task {
            await postgresFailure {
                try await connection.withSession { session in
                    try session.transaction { session in
                        try session.execute("INSERT INTO kept VALUES (1)")
                        let first = postgresError { try session.execute(.hanging("mark-b")) }
                        #expect(first?.kind == .cancelled)
                        try session.execute("INSERT INTO kept VALUES (2)")
                    }
                }
            }
        }
        #expect(try await eventually { try await isSleeping("mark-b") })
        task.cancel()
        #expect(await task.value?.kind == .cancelled)
        let rows = try await connection.withSession { session in try session.query("SELECT n FROM kept").count }
        #expect(rows == 0)
    }

    @Test func `a running query is cancelled from outside, and the next one is not`() async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        async let outcome = postgresFailure {
            try await connection.withSession { session in try session.execute(.hanging("mark-c")) }
        }
        #expect(try await eventually { try await isSleeping("mark-c") })
        connection.cancelRunningQuery()
        #expect(await outcome?.kind == .cancelled)
        connection.cancelRunningQuery()
        let rows = try await connection.withSession { session in try session.query("SELECT pg_sleep(0.05)").count }
        #expect(rows == 1)
    }

    @Test func `many late cancellations never hit the next statement`() async throws {
        let connection = try await PostgresServer.shared().superuserConnection()
        for _ in 0..<40 {
            let task = Task { try await connection.withSession { session in try session.execute("SELECT pg_sleep(0.001)") } }
            await Task.yield()
            task.cancel()
            _ = try? await task.value
            let rows = try await connection.withSession { session in try session.query("SELECT pg_sleep(0.002)").count }
            #expect(rows == 1)
        }
    }
}
