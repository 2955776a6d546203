import Observability
import Postgres
import ServiceDatabase
import ServiceRuntime
import TestSupport
import Testing

@Suite("A pool's metrics")
struct PoolMetricsTests {
    /// Dashboards and alerts ask for these.
    @Test("every pool is told apart by its name, with the same metrics")
    func names() async throws {
        let database = try await PostgresServer.shared().makeDatabase()
        let registry = PrometheusRegistry()
        let metrics = PoolMetrics(registry)
        let pool = PostgresPool(
            configuration: try PostgresConfiguration(url: database.servingURL), options: PoolOptions(maximumConnections: 3),
            onAcquire: metrics.waits(of: "primary"))
        metrics.observe(pool, named: "primary", limit: 3)
        metrics.observe(pool, named: "replica", limit: 5)
        try await pool.ping()
        let text = registry.render()
        let expected = [
            #"postgres_pool_connections{pool="primary",state="idle"} 1"#, #"postgres_pool_connections{pool="primary",state="in_use"} 0"#,
            #"postgres_pool_connections{pool="primary",state="opening"} 0"#, #"postgres_pool_connections_limit{pool="primary"} 3"#,
            #"postgres_pool_connections_limit{pool="replica"} 5"#, #"postgres_pool_waiters{pool="primary"} 0"#,
            #"postgres_pool_acquired_total{pool="primary"} 1"#, #"postgres_pool_opened_total{pool="primary"} 1"#,
            #"postgres_pool_discarded_total{pool="primary"} 0"#, #"postgres_pool_connect_failures_total{pool="primary"} 0"#,
            #"postgres_pool_timeouts_total{pool="primary"} 0"#, #"postgres_pool_refusals_total{pool="primary"} 0"#,
            #"postgres_pool_wait_seconds_count{pool="primary"} 1"#,
        ]
        let lines = Set(text.split(separator: "\n").map(String.init))
        for line in expected { #expect(lines.contains(line), "\(line)\n\(text)") }
        for name in Set(lines.filter { $0.hasPrefix("postgres_") }.compactMap { $0.split(separator: "{").first }) {
            let family = name.hasPrefix("postgres_pool_wait_seconds") ? "postgres_pool_wait_seconds" : name
            #expect(text.contains("# HELP \(family) "), "\(family) says not what it counts")
        }
    }
}
