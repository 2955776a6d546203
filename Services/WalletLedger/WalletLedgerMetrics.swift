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
        registry.describe("ledger_batch_items_total", "Postings decided in batches; by ledger_batches_total it is the mean batch.")
        registry.describe("ledger_batch_size", "Postings per batch.")
        registry.describe("ledger_batch_splits_total", "Batches that were halved to find a culprit.")
        registry.describe("ledger_batch_seconds", "Time from taking a batch to its last answer, in seconds.")
        registry.describe("ledger_queue_rejected_total", "Postings that were refused because the queue was full.")
        registry.describe("ledger_writer_reconnects_total", "Connections that a batch writer had to replace.")
        registry.describe("ledger_holds_expired_total", "Holds that the ledger ended because their time was over.")
        registry.describe(
            "ledger_wallets_ahead_total", "Times that a batch met a wallet whose last time lies ahead of the clock; see the runbook.")
        registry.describe("ledger_replica_reads_total", "Answers about the past by the server that gave them, where a replica is set.")
    }
}
