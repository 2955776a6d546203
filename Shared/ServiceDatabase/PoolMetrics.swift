internal import Metrics
package import Observability
package import Postgres
import ServiceRuntime

/// The metrics of a process's connection pools, named alike in every service.
package struct PoolMetrics: Sendable {
    private let registry: PrometheusRegistry

    package init(_ registry: PrometheusRegistry) {
        self.registry = registry
        registry.describe("postgres_pool_wait_seconds", "Time callers waited for a connection, in seconds, whether or not they got one.")
    }

    /// To be called with how long a caller of the pool waited for its connection.
    package func waits(of pool: String) -> @Sendable (Duration) -> Void {
        let timer = Timer(label: "postgres_pool_wait_seconds", dimensions: [("pool", pool)], factory: registry)
        return { duration in timer.record(duration: duration) }
    }

    /// - Parameter limit: Connections that the pool may have.
    package func observe(_ pool: PostgresPool, named name: String, limit: Int) {
        let states: [(name: String, count: @Sendable (PoolStatistics) -> Int)] = [
            ("in_use", { $0.inUse }), ("idle", { $0.idle }), ("opening", { $0.opening }),
        ]
        for state in states {
            registry.observe(
                "postgres_pool_connections", .gauge, "Connections of the pool, by state.", labels: [("pool", name), ("state", state.name)]
            ) {
                Double(state.count(pool.statistics))
            }
        }
        registry.observe("postgres_pool_connections_limit", .gauge, "Connections that the pool may have.", labels: [("pool", name)]) { Double(limit) }
        registry.observe("postgres_pool_waiters", .gauge, "Callers that wait for a connection.", labels: [("pool", name)]) {
            Double(pool.statistics.waiting)
        }
        let totals: [(name: String, help: String, count: @Sendable (PoolStatistics) -> Int)] = [
            ("postgres_pool_acquired_total", "Connections lent.", { $0.totalAcquired }),
            ("postgres_pool_opened_total", "Connections opened.", { $0.totalOpened }),
            ("postgres_pool_discarded_total", "Connections dropped because they were dead, too old or read-only.", { $0.totalDiscarded }),
            ("postgres_pool_connect_failures_total", "Connections that could not be opened.", { $0.connectFailures }),
            ("postgres_pool_timeouts_total", "Callers that gave up waiting for a connection.", { $0.timeouts }),
            ("postgres_pool_refusals_total", "Callers that were refused because too many waited.", { $0.refusals }),
        ]
        for total in totals {
            registry.observe(total.name, .counter, total.help, labels: [("pool", name)]) { Double(total.count(pool.statistics)) }
        }
    }
}
