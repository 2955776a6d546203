/// What became of a message that was handed to a publisher.
package enum PublishOutcome: Sendable, Hashable {
    /// The broker has taken responsibility: it is on the disk of every queue it was routed to (RabbitMQ's publisher confirms).
    case confirmed
    /// The exchange routes it to no queue (basic.return, AMQP 0-9-1, 1.8.3.12): nobody will ever see it.
    case unroutable(code: Int, text: String)
    /// The broker could not take it (basic.nack); try again later.
    case nacked
    /// It was sent, and whether the broker took it will not be known: sending it again may double it.
    case unknown(Doubt)
    /// The broker certainly has not taken it.
    case notSent(NotSentReason)

    package enum Doubt: Sendable, Hashable {
        case connectionLost
        /// The broker closed the channel over one of the messages then in flight, and this was one of them.
        case channelClosed(code: Int, text: String)
        case timedOut
        case cancelled
    }

    package enum NotSentReason: Sendable, Hashable {
        /// As many messages as are allowed wait already.
        case queueFull
        /// The time was over before a connection was there, or before there was room among the unconfirmed.
        case timedOut
        /// The time was over while the broker asked not to be sent anything, for this reason.
        case blocked(String)
        /// The publisher shut down first.
        case closed
        case cancelled
        /// The channel on which alone it was to be sent is gone.
        case connectionChanged
        /// It can't be sent as it is.
        case invalid(String)
        case tooLarge
    }

    /// The word for metrics and logs.
    package var label: String {
        switch self {
        case .confirmed: "confirmed"
        case .unroutable: "unroutable"
        case .nacked: "nacked"
        case .unknown: "unknown"
        case .notSent: "not_sent"
        }
    }

    static let labels = ["confirmed", "unroutable", "nacked", "unknown", "not_sent"]
}
