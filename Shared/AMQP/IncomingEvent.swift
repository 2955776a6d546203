/// What the broker sends without being asked, its parts put together.
enum IncomingEvent: Sendable, Hashable {
    /// basic.ack of a publisher's messages: the one with this tag, or all up to it.
    case confirmed(tag: UInt64, isMultiple: Bool)
    /// basic.nack of a publisher's messages.
    case nacked(tag: UInt64, isMultiple: Bool)
    case returned(ReturnedMessage)
    case delivered(DeliveredMessage)
    /// The broker ended a subscription, because its queue is gone.
    case subscriptionCancelled
    case channelClosed(AMQPError)
    case connectionClosed(AMQPError)
    case blocked(reason: String)
    case unblocked
}

/// A message that no queue wants, on its way back. It has no tag; it is recognized by its id and address.
struct ReturnedMessage: Sendable, Hashable {
    let code: Int
    let text: String
    let exchange: String
    let routingKey: String
    var messageID: String
}

struct DeliveredMessage: Sendable, Hashable {
    let tag: UInt64
    let exchange: String
    let routingKey: String
    let isRedelivered: Bool
    var message: AMQPMessage
}
