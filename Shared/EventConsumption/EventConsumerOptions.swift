package import Concurrency
package import Postgres

/// The bounds of a consumer.
package struct EventConsumerOptions: Sendable, Hashable {
    /// Deliveries that are not settled, at most. Twice the batch limit, so that the next batch arrives while one commits.
    package var prefetch: Int
    /// Events in one transaction, at most.
    package var batchLimit: Int
    package var retries: RetryPlan
    /// Of each transaction; nil time-outs are the role's own.
    package var transaction: TransactionOptions
    /// How long an outage of the database may last before what is in hand goes back to the broker. Less than RabbitMQ's acknowledgement
    /// time-out (30 minutes), at which the broker would close the channel. Each return counts against the queue's delivery limit, so when
    /// nothing could be applied between two of them, the pause before the next subscription grows with each, to four times as long.
    package var outageLimit: Duration
    /// Between two looks at a database that is away.
    package var outageBackoff: Backoff
    /// For each attempt to send failed events to where they wait.
    package var retryPublishTimeout: Duration
    package var reconnectBackoff: Backoff
    /// How long a shutdown waits for the broker to hear of what is settled.
    package var drainTimeout: Duration
    /// Between two looks at how many dead letters are open.
    package var watchInterval: Duration

    package init(
        prefetch: Int = 200, batchLimit: Int = 100, retries: RetryPlan = .standard,
        transaction: TransactionOptions = TransactionOptions(
            statementTimeout: .seconds(15), lockTimeout: .seconds(10), idleTimeout: .seconds(60)),
        outageLimit: Duration = .seconds(900), outageBackoff: Backoff = Backoff(first: .milliseconds(100), maximum: .seconds(5)),
        retryPublishTimeout: Duration = .seconds(5), reconnectBackoff: Backoff = Backoff(), drainTimeout: Duration = .seconds(10),
        watchInterval: Duration = .seconds(15)
    ) {
        precondition((1...2_000).contains(prefetch) && batchLimit > 0, "a consumer needs room")
        self.prefetch = prefetch
        self.batchLimit = batchLimit
        self.retries = retries
        self.transaction = transaction
        self.outageLimit = outageLimit
        self.outageBackoff = outageBackoff
        self.retryPublishTimeout = retryPublishTimeout
        self.reconnectBackoff = reconnectBackoff
        self.drainTimeout = drainTimeout
        self.watchInterval = watchInterval
    }
}
