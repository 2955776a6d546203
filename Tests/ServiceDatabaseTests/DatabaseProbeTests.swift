import Dispatch
import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

@Suite("A service's database: what /readyz says of it", .timeLimit(.minutes(3)))
struct DatabaseProbeTests {
    private static func state(_ probe: DatabaseProbe) async -> String {
        await HealthReport.make(phase: .ready, checks: [probe.healthCheck]).checks.map { "\($0.name) \($0.state.rawValue)" }.joined()
    }

    @Test(
        "a database is ok, read-only for a while, ok again without a restart, gone, and back",
        arguments: [DatabaseProbe.WithoutWrites.answersReads, .isUseless])
    func states(_ withoutWrites: DatabaseProbe.WithoutWrites) async throws {
        try await PostgresServer.withSeparate { server in
            let database = try await server.makeDatabase()
            let metrics = PrometheusRegistry()
            let probe = DatabaseProbe(try PostgresConfiguration(url: database.servingURL), withoutWrites: withoutWrites, metrics: metrics)
            func becomes(_ state: String, readOnly: Int) async throws {
                #expect(try await eventually { await Self.state(probe) == "database \(state)" }, "\(state)")
                #expect(metrics.render().contains("database_read_only \(readOnly)\n"))
            }
            let readOnly = withoutWrites == .isUseless ? "failed" : "degraded"
            try await becomes("ok", readOnly: 0)
            let role = "ALTER ROLE \(database.roles.serving)"
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '\(database.roles.serving)'"
            try await server.execute(["\(role) SET default_transaction_read_only = on", end])
            try await becomes(readOnly, readOnly: 1)
            // Nobody ends the session that was opened meanwhile.
            try await server.execute(["\(role) RESET default_transaction_read_only"])
            try await becomes("ok", readOnly: 0)
            try await server.stop(.immediate)
            try await becomes("failed", readOnly: 0)
            try await server.start()
            try await becomes("ok", readOnly: 0)
        }
    }

    @Test("a pool that slow reads have emptied says nothing about the database")
    func emptyPool() async throws {
        let database = try await PostgresServer.shared().makeDatabase()
        let configuration = try PostgresConfiguration(url: database.servingURL)
        let probe = DatabaseProbe(configuration, withoutWrites: .answersReads, metrics: PrometheusRegistry())
        let pool = PostgresPool(configuration: configuration, options: PoolOptions(maximumConnections: 2, acquireTimeout: .seconds(30)))
        let release = DispatchSemaphore(value: 0)
        let (began, beginning) = AsyncStream<Void>.makeStream()
        let readers = (0..<2).map { _ in
            Task {
                try await pool.withSession { _ in
                    beginning.yield()
                    _ = release.wait(timeout: .now() + .seconds(60))
                }
            }
        }
        var busy = began.makeAsyncIterator()
        for _ in readers { await busy.next() }
        #expect(pool.statistics.inUse == 2)
        #expect(try await eventually { await Self.state(probe) == "database ok" })
        for _ in readers { release.signal() }
        for reader in readers { try await reader.value }
        await pool.close()
    }
}
