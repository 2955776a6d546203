package import Concurrency

/// The bounds of a consumer.
package struct ConsumerOptions: Sendable, Hashable {
    /// Deliveries that are not settled, 1 to 2000 (a quorum queue's limit); the back-pressure. 100 to 300 is the useful range.
    package var prefetch: Int
    /// A call of librabbitmq that takes longer than this ends the connection.
    package var stallLimit: Duration
    /// How long a shutdown waits for deliveries in hand to be settled.
    package var drainTimeout: Duration
    package var reconnectBackoff: Backoff
    /// Between attempts to subscribe to a queue that is not there.
    package var resubscribeBackoff: Backoff

    package init(
        prefetch: Int = 100, stallLimit: Duration = .seconds(5), drainTimeout: Duration = .seconds(10),
        reconnectBackoff: Backoff = Backoff(), resubscribeBackoff: Backoff = Backoff(maximum: .seconds(10))
    ) {
        precondition((1...2000).contains(prefetch), "prefetch is 1 to 2000")
        self.prefetch = prefetch
        self.stallLimit = stallLimit
        self.drainTimeout = drainTimeout
        self.reconnectBackoff = reconnectBackoff
        self.resubscribeBackoff = resubscribeBackoff
    }
}

/// What happened to a consumer's subscription.
package enum ConsumerChange: Sendable, Hashable {
    case subscribed(generation: Int)
    /// The broker ended the subscription: the queue was deleted or its node is gone.
    case cancelledByBroker
    /// There is no subscription, for this reason; 404 in it means that there is no such queue.
    case refused(AMQPError)
    /// The connection or the channel is gone; deliveries in hand can't be settled any more and come again.
    case lost(AMQPError)
}
