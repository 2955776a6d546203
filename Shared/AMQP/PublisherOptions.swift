package import Concurrency

/// The bounds of a publisher.
package struct PublisherOptions: Sendable, Hashable {
    /// Messages sent and not yet confirmed, 1 or more. Beyond a few hundred nothing is gained (measured: 256 is as good as 1000).
    package var maximumUnconfirmed: Int
    /// Messages that wait to be sent; the next is refused at once.
    package var maximumQueued: Int
    /// From the hand-over of a message to its outcome.
    package var publishTimeout: Duration
    /// A larger body is refused here. RabbitMQ's own limit is 128 MiB by default, and it closes the channel over a larger one.
    package var maximumMessageBytes: Int
    /// A call of librabbitmq that takes longer than this ends the connection.
    package var stallLimit: Duration
    /// How long a shutdown waits for confirms.
    package var drainTimeout: Duration
    package var reconnectBackoff: Backoff

    package init(
        maximumUnconfirmed: Int = 512, maximumQueued: Int = 4096, publishTimeout: Duration = .seconds(10),
        maximumMessageBytes: Int = 16 * 1024 * 1024, stallLimit: Duration = .seconds(5), drainTimeout: Duration = .seconds(5),
        reconnectBackoff: Backoff = Backoff()
    ) {
        precondition(maximumUnconfirmed > 0 && maximumQueued > 0, "a publisher needs room")
        self.maximumUnconfirmed = maximumUnconfirmed
        self.maximumQueued = maximumQueued
        self.publishTimeout = publishTimeout
        self.maximumMessageBytes = maximumMessageBytes
        self.stallLimit = stallLimit
        self.drainTimeout = drainTimeout
        self.reconnectBackoff = reconnectBackoff
    }
}
