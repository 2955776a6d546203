package import Contracts
package import FoundationEssentials
import Outbox
package import Postgres
package import Sealing

/// A message to a person.
package struct RequestedMessage: Sendable {
    package let purpose: MessagePurpose
    /// Nil where nobody has an account yet.
    package let user: UUID?
    package let locale: String
    /// When it is worth nothing any more; nil for a notice.
    package let expiresAt: Timestamp?
    package let content: MessageContent

    package init(_ purpose: MessagePurpose, user: UUID?, locale: String, expiresAt: Timestamp? = nil, content: MessageContent) {
        self.purpose = purpose
        self.user = user
        self.locale = locale
        self.expiresAt = expiresAt
        self.content = content
    }
}

/// Asks notification for a message, in the transaction of what it tells of: address and code are sealed, so that only notification can read
/// them.
package struct RequestMessage: Sendable {
    private let key: SealingKey

    package init(sealingTo key: SealingKey) {
        self.key = key
    }

    /// - Throws: `PostgresError`; ``SealingFault`` for a content that is too long.
    package func append(
        _ message: RequestedMessage, at now: Timestamp, traceparent: String?, _ session: PostgresSession
    ) throws {
        var random = SystemRandomNumberGenerator()
        let eventID = EventID.new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
        let payload = MessageRequestedEvent(
            messageID: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), purpose: message.purpose,
            userID: message.user.map { UserID($0) }, locale: message.locale, expiresAt: message.expiresAt,
            sealed: try key.seal(message.content.wireBytes(), boundTo: eventID))
        try OutboxWriter.append([OutboxEvent(payload, id: eventID, at: now, traceparent: traceparent)], session)
    }

    /// Does the same work whether the message is wanted or not, so that the time it takes tells nothing.
    ///
    /// - Throws: as ``append(_:at:traceparent:_:)``.
    package func append(
        _ message: RequestedMessage, ifWanted isWanted: Bool, at now: Timestamp, traceparent: String?, _ session: PostgresSession
    ) throws {
        try session.execute("SAVEPOINT message")
        try append(message, at: now, traceparent: traceparent, session)
        try session.execute(isWanted ? "RELEASE SAVEPOINT message" : "ROLLBACK TO SAVEPOINT message")
    }
}
