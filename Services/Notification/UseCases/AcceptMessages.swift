package import Contracts
package import Postgres
package import WorkQueue

/// A message with the event that asked for it.
package struct RequestedMessage: Sendable, Hashable {
    package let eventID: EventID
    package let requestedAt: Timestamp
    package let message: MessageRequestedEvent
    /// Of the event's processing.
    package let traceparent: String?

    package init(eventID: EventID, requestedAt: Timestamp, message: MessageRequestedEvent, traceparent: String? = nil) {
        self.eventID = eventID
        self.requestedAt = requestedAt
        self.message = message
        self.traceparent = traceparent
    }
}

/// Writes a delivery for each message that was asked for, once for each, and leaves its text sealed.
package struct AcceptMessages: Sendable {
    private let queue: WorkQueue
    private let maximumAge: Duration
    private let store = DeliveryStore()

    package init(queue: WorkQueue, maximumAge: Duration) {
        self.queue = queue
        self.maximumAge = maximumAge
    }

    /// Within the transaction that is open.
    ///
    /// - Throws: `PostgresError`; what was written is to be rolled back.
    package func callAsFunction(_ requests: [RequestedMessage], _ session: PostgresSession) throws {
        // A message that two events ask for is sent once.
        var known = try store.known(session, among: requests.map(\.message.messageID))
        for request in requests where known.insert(request.message.messageID).inserted {
            let expiresAt = DeliveryEnd.of(request.message, requestedAt: request.requestedAt, maximumAge: maximumAge)
            let item = try queue.add(
                session, kind: request.message.purpose.rawValue, event: request.eventID, traceparent: request.traceparent, expiresAt: expiresAt)
            try store.insert(session, request, item: item, expiresAt: expiresAt)
        }
    }
}
