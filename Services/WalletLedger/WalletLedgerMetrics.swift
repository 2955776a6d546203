import Observability
import ServiceRuntime

/// What the ledger's metrics mean, and those that are read when they are asked for.
struct WalletLedgerMetrics: Sendable {
    private let registry: PrometheusRegistry

    init(_ registry: PrometheusRegistry) {
        self.registry = registry
        describe()
    }

    func observe(_ queue: PostingQueue) {
        registry.observe("ledger_queue_depth", .gauge, "Postings that wait for a writer.") { Double(queue.depth) }
        let capacity = Double(queue.capacity)
        registry.observe("ledger_queue_capacity", .gauge, "Postings that may wait; the next one is refused.") { capacity }
    }

    private func describe() {
        registry.describe("ledger_batches_total", "Batches whose every posting was answered, committed or failed.")
        registry.describe("ledger_batch_items_total", "Postings decided in batches; divided by ledger_batches_total it is the mean batch size.")
        registry.describe("ledger_batch_size", "Postings per batch.")
        registry.describe("ledger_batch_splits_total", "Batches split to isolate a failing posting.")
        registry.describe("ledger_batch_seconds", "Time from taking a batch to its last answer, in seconds.")
        registry.describe("ledger_queue_rejected_total", "Postings that were refused because the queue was full.")
        registry.describe("ledger_writer_reconnects_total", "Connections that a batch writer had to replace.")
        registry.describe("ledger_holds_expired_total", "Holds that the ledger ended because they expired.")
        registry.describe(
            "ledger_wallets_ahead_total", "Batches that met a wallet whose last time is ahead of the clock; see the runbook.")
        registry.describe("ledger_replica_reads_total", "Reads about the past by the server that answered, where a replica is set.")
    }
}
