import Metrics
import Postgres
import ServiceRuntime

/// What the ledger's metrics mean, and those that are read when they are asked for.
struct WalletLedgerMetrics: Sendable {
    private let registry: PrometheusRegistry

    init(_ registry: PrometheusRegistry) {
        self.registry = registry
        describe()
    }

    /// To be called with how long a caller of the pool waited for its connection.
    func waits(of pool: String) -> @Sendable (Duration) -> Void {
        let timer = Timer(label: "postgres_pool_wait_seconds", dimensions: [("pool", pool)], factory: registry)
        return { duration in timer.record(duration: duration) }
    }

    func observe(_ queue: PostingQueue) {
        registry.observe("ledger_queue_depth", .gauge, "Postings that wait for a writer.") { Double(queue.depth) }
        let capacity = Double(queue.capacity)
        registry.observe("ledger_queue_capacity", .gauge, "Postings that may wait; the next one is refused.") { capacity }
    }

    func observe(_ pool: PostgresPool, named name: String, limit: Int) {
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
            ("postgres_pool_discarded_total", "Connections dropped because they were dead or too old.", { $0.totalDiscarded }),
            ("postgres_pool_connect_failures_total", "Connections that could not be opened.", { $0.connectFailures }),
            ("postgres_pool_timeouts_total", "Callers that gave up waiting for a connection.", { $0.timeouts }),
            ("postgres_pool_refusals_total", "Callers that were refused because too many waited.", { $0.refusals }),
        ]
        for total in totals {
            registry.observe(total.name, .counter, total.help, labels: [("pool", name)]) { Double(total.count(pool.statistics)) }
        }
    }

    private func describe() {
        registry.describe("ledger_batches_total", "Batches whose every posting was answered, committed or failed.")
        registry.describe("ledger_batch_items_total", "Postings decided in batches; by ledger_batches_total it is the mean batch.")
        registry.describe("ledger_batch_size", "Postings per batch.")
        registry.describe("ledger_batch_splits_total", "Batches that were halved to find a culprit.")
        registry.describe("ledger_batch_seconds", "Time from taking a batch to its last answer, in seconds.")
        registry.describe("ledger_queue_rejected_total", "Postings that were refused because the queue was full.")
        registry.describe("ledger_writer_reconnects_total", "Connections that a batch writer had to replace.")
        registry.describe("ledger_holds_expired_total", "Holds that the ledger ended because their time was over.")
        registry.describe("ledger_replica_reads_total", "Answers about the past by the server that gave them, where a replica is set.")
        registry.describe("postgres_pool_wait_seconds", "Time that callers waited for a connection, in seconds, also in vain.")
    }
}
