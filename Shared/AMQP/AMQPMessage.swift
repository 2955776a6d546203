/// A message: its body and the properties that travel with it (AMQP 0-9-1, 1.8.3 of the XML specification's class basic).
package struct AMQPMessage: Sendable, Hashable {
    package var body: [UInt8]
    /// Identifies the message among those in flight; a returned message is recognized by it. Required when publishing.
    package var messageID: String
    package var contentType: String?
    package var type: String?
    package var correlationID: String?
    package var appID: String?
    /// Who published it: the broker refuses a message that names another user than its connection's, so whoever receives one may believe it.
    package var userID: String?
    /// Seconds since 1970.
    package var timestamp: UInt64?
    package var headers: [String: AMQPValue]
    /// Whether the broker writes it to disk; what we publish is meant to outlive the broker.
    package var isPersistent: Bool

    package init(
        body: [UInt8], messageID: String, contentType: String? = nil, type: String? = nil, correlationID: String? = nil, appID: String? = nil,
        userID: String? = nil, timestamp: UInt64? = nil, headers: [String: AMQPValue] = [:], isPersistent: Bool = true
    ) {
        self.body = body
        self.messageID = messageID
        self.contentType = contentType
        self.type = type
        self.correlationID = correlationID
        self.appID = appID
        self.userID = userID
        self.timestamp = timestamp
        self.headers = headers
        self.isPersistent = isPersistent
    }

    /// A short string's length is one byte (AMQP 0-9-1, 4.2.5.3); librabbitmq would cut the length and send garbage.
    static let longestShortString = 255
    /// All properties go into one frame, and librabbitmq fails after it has sent the method before them.
    static let largestProperties = 64 * 1024

    /// Why the message can't be published, or nil.
    var flaw: String? {
        if messageID.isEmpty { return "the message has no id" }
        let texts = [messageID, contentType, type, correlationID, appID, userID].compactMap { $0 }
        if texts.contains(where: { $0.utf8.count > Self.longestShortString }) || AMQPValue.table(headers).hasLongName {
            return "a property is longer than 255 bytes"
        }
        if texts.reduce(AMQPValue.encodedSize(of: headers), { $0 + $1.utf8.count }) > Self.largestProperties {
            return "the properties are larger than \(Self.largestProperties) bytes"
        }
        return nil
    }
}

/// A message on its way to an exchange.
package struct AMQPPublication: Sendable, Hashable {
    package var message: AMQPMessage
    /// The default exchange is the empty name; it routes to the queue that is named by the routing key.
    package var exchange: String
    package var routingKey: String

    package init(_ message: AMQPMessage, exchange: String, routingKey: String) {
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
    }

    var flaw: String? {
        if exchange.utf8.count > AMQPMessage.longestShortString || routingKey.utf8.count > AMQPMessage.longestShortString {
            return "the exchange or the routing key is longer than 255 bytes"
        }
        return message.flaw
    }
}
