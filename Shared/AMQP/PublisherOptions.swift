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
    package var reconnectBackoff: AMQPBackoff

    package init(
        maximumUnconfirmed: Int = 512, maximumQueued: Int = 4096, publishTimeout: Duration = .seconds(10),
        maximumMessageBytes: Int = 16 * 1024 * 1024, stallLimit: Duration = .seconds(5), drainTimeout: Duration = .seconds(5),
        reconnectBackoff: AMQPBackoff = AMQPBackoff()
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

/// Pauses between attempts: doubled each time, and then anything between nothing and that (full jitter), so that a fleet that lost its
/// broker together does not come back together.
package struct AMQPBackoff: Sendable, Hashable {
    package var first: Duration
    package var maximum: Duration

    package init(first: Duration = .milliseconds(200), maximum: Duration = .seconds(30)) {
        self.first = first
        self.maximum = maximum
    }

    /// A connection that lived longer than this was a good one; the next attempt is a first again.
    static let goodLife = Duration.seconds(5)

    /// The longest pause before attempt 1, 2, ...
    func ceiling(attempt: Int) -> Duration { min(maximum, first * (1 << min(max(0, attempt - 1), 16))) }

    package func pause(attempt: Int) -> Duration { ceiling(attempt: attempt) * Double.random(in: 0...1) }
}
