internal import AMQP
internal import Contracts

/// A message as it came from the broker, or as a dead letter kept it: what is known before it is read.
struct CarriedEvent: Sendable {
    let body: [UInt8]
    let messageID: String?
    let contentType: String?
    let type: String?
    /// The one that the event was published with, also after a retry.
    let routingKey: String
    let headers: [String: AMQPValue]
    /// 1 at the first delivery.
    let attempt: Int
    /// Nil when it has not failed before.
    let firstFailedAt: Timestamp?

    init(
        body: [UInt8], messageID: String?, contentType: String?, type: String?, routingKey: String, headers: [String: AMQPValue], attempt: Int,
        firstFailedAt: Timestamp?
    ) {
        self.body = body
        self.messageID = messageID
        self.contentType = contentType
        self.type = type
        self.routingKey = routingKey
        self.headers = headers
        self.attempt = attempt
        self.firstFailedAt = firstFailedAt
    }

    init(_ delivery: AMQPDelivery) {
        self.init(delivery.message, exchange: delivery.exchange, routingKey: delivery.routingKey)
    }

    init(_ message: AMQPMessage, exchange: String, routingKey: String) {
        // What waited comes by the default exchange; only then the headers about retries are ours.
        let isRetry = exchange.isEmpty
        let headers = message.headers
        self.init(
            body: message.body, messageID: message.messageID, contentType: message.contentType, type: message.type,
            routingKey: (isRetry ? headers[EventHeader.routingKey]?.string : nil) ?? routingKey, headers: headers,
            attempt: isRetry ? EventHeader.readAttempt(headers) : 1, firstFailedAt: isRetry ? EventHeader.readFirstFailure(headers) : nil)
    }
}

/// The headers by which an event that is retried carries its own history; the broker's counters are not relied on.
package enum EventHeader {
    package static let attempt = "x-florin-attempt"
    package static let firstFailedAt = "x-florin-first-failed-at"
    package static let error = "x-florin-error"
    package static let routingKey = "x-florin-routing-key"
    /// The broker's: how often it came back without an answer.
    static let returns = "x-delivery-count"

    /// More attempts than any plan has are not believed.
    private static let highestAttempt: Int64 = 1_000
    /// Written by the broker on the way through a queue; sent back, they would grow with each round.
    private static let ofBroker = ["x-death", returns, "x-first-death-", "x-last-death-"]

    static func readAttempt(_ headers: [String: AMQPValue]) -> Int {
        guard let number = headers[attempt]?.integer, (1...highestAttempt).contains(number) else { return 1 }
        return Int(number)
    }

    static func readFirstFailure(_ headers: [String: AMQPValue]) -> Timestamp? {
        headers[firstFailedAt]?.string.flatMap { Timestamp(rfc3339: $0, rounding: .down) }
    }

    /// The message for the next round: body, id and properties as they were, and the history.
    static func retried(_ message: AMQPMessage, of event: CarriedEvent, _ failure: EventFailure, now: Timestamp) -> AMQPMessage {
        var again = message
        again.isPersistent = true
        again.headers = message.headers.filter { header in !ofBroker.contains { header.key.hasPrefix($0) } }
        again.headers[attempt] = .integer(Int64(event.attempt + 1))
        again.headers[firstFailedAt] = .string((event.firstFailedAt ?? now).description)
        again.headers[error] = .string(failure.kind.rawValue)
        again.headers[routingKey] = .string(event.routingKey)
        return again
    }
}
