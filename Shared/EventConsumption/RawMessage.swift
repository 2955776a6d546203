internal import AMQP
internal import Contracts
internal import EventBroker

/// A message as it came from the broker, or as a dead letter kept it: what is known before it is read.
struct RawMessage: Sendable {
    let body: [UInt8]
    let messageID: String?
    let contentType: String?
    let type: String?
    /// The one that the event was published with, also after a retry.
    let routingKey: String
    /// Who published the event first, also after a retry.
    let publisher: EventPublisher
    let headers: [String: AMQPValue]
    /// 1 at the first delivery.
    let attempt: Int
    /// Nil when it has not failed before.
    let firstFailedAt: Timestamp?

    init(
        body: [UInt8], messageID: String?, contentType: String?, type: String?, routingKey: String, publisher: EventPublisher,
        headers: [String: AMQPValue], attempt: Int, firstFailedAt: Timestamp?
    ) {
        self.body = body
        self.messageID = messageID
        self.contentType = contentType
        self.type = type
        self.routingKey = routingKey
        self.publisher = publisher
        self.headers = headers
        self.attempt = attempt
        self.firstFailedAt = firstFailedAt
    }

    /// - Parameter user: The consumer's own at the broker.
    init(_ delivery: AMQPDelivery, consumedAs user: String) {
        self.init(delivery.message, exchange: delivery.exchange, routingKey: delivery.routingKey, consumedAs: user)
    }

    init(_ message: AMQPMessage, exchange: String, routingKey: String, consumedAs user: String) {
        // What waited comes by the default exchange, as the consumer itself sent it; only then the headers about retries are ours.
        let isRetry = exchange.isEmpty && message.userID == user
        let headers = message.headers
        self.init(
            body: message.body, messageID: message.messageID, contentType: message.contentType, type: message.type,
            routingKey: (isRetry ? headers[EventHeader.routingKey]?.string : nil) ?? routingKey,
            publisher: EventPublisher(userID: isRetry ? headers[EventHeader.publisher]?.string : message.userID), headers: headers,
            attempt: isRetry ? EventHeader.readAttempt(headers) : 1, firstFailedAt: isRetry ? EventHeader.readFirstFailure(headers) : nil)
    }
}

/// The headers by which an event that is retried carries its own history; the broker's counters are not relied on.
package enum EventHeader {
    package static let attempt = "x-florin-attempt"
    package static let firstFailedAt = "x-florin-first-failed-at"
    package static let error = "x-florin-error"
    package static let routingKey = "x-florin-routing-key"
    package static let publisher = "x-florin-publisher"
    /// The broker's: how often it came back without an answer.
    static let returns = "x-delivery-count"

    /// More attempts than any plan has are not believed.
    private static let highestAttempt: Int64 = 1_000
    /// Written by the broker on the way through a queue; sent back, they would grow with each round.
    private static let ofBroker = ["x-death", returns, "x-first-death-", "x-last-death-"]
    /// Orders to the broker to deliver copies elsewhere, which a retry would carry out with the consumer's own permissions.
    private static let ofSender: Set = ["CC", "BCC"]

    static func readAttempt(_ headers: [String: AMQPValue]) -> Int {
        guard let number = headers[attempt]?.integer, (1...highestAttempt).contains(number) else { return 1 }
        return Int(number)
    }

    static func readFirstFailure(_ headers: [String: AMQPValue]) -> Timestamp? {
        headers[firstFailedAt]?.string.flatMap { Timestamp(rfc3339: $0, rounding: .down) }
    }

    /// The message for the next round: body, id and properties as they were, and the history.
    ///
    /// - Parameter user: The consumer's own at the broker, which refuses any other.
    static func retried(
        _ message: AMQPMessage, of event: RawMessage, _ failure: EventFailure, as user: String, now: Timestamp
    ) -> AMQPMessage {
        var again = message
        again.isPersistent = true
        again.userID = user
        again.headers = message.headers.filter { header in
            !ofSender.contains(header.key) && !ofBroker.contains { header.key.hasPrefix($0) }
        }
        again.headers[publisher] = .string(event.publisher.stored ?? "")
        again.headers[attempt] = .integer(Int64(event.attempt + 1))
        again.headers[firstFailedAt] = .string((event.firstFailedAt ?? now).description)
        again.headers[error] = .string(failure.kind.rawValue)
        again.headers[routingKey] = .string(event.routingKey)
        return again
    }
}
