package import Contracts
package import Postgres

/// What happened, on its way into the outbox of the service that did it.
package struct OutboxEvent: Sendable, Hashable {
    package let id: EventID
    /// Is the routing key too.
    package let type: String
    package let subject: String
    /// Order is promised among the events of one key only.
    package let partitionKey: String
    package let occurredAt: Timestamp
    package let traceparent: String?
    /// JSON.
    package let data: [UInt8]

    package init(
        id: EventID, type: String, subject: String, partitionKey: String, occurredAt: Timestamp, traceparent: String?, data: [UInt8]
    ) {
        self.id = id
        self.type = type
        self.subject = subject
        self.partitionKey = partitionKey
        self.occurredAt = occurredAt
        self.traceparent = traceparent
        self.data = data
    }

    /// What a payload tells of itself: type, subject and partition key.
    package init(_ payload: some EventPayload, id: EventID, at time: Timestamp, traceparent: String?) {
        self.init(
            id: id, type: payload.type.rawValue, subject: payload.subject, partitionKey: payload.partitionKey, occurredAt: time,
            traceparent: traceparent, data: payload.wireBytes())
    }
}

/// Writes events in the transaction of the change that they tell of.
///
/// To be called after the change's locks were taken: the order of a partition key is that of the rows' ids, drawn here.
package enum OutboxWriter {
    /// - Throws: `PostgresError`.
    package static func append(_ events: [OutboxEvent], _ session: PostgresSession) throws(PostgresError) {
        guard !events.isEmpty else { return }
        try session.execute(
            """
            INSERT INTO outbox_events (event_id, type, subject, partition_key, occurred_at, traceparent, data)
            SELECT * FROM unnest(\(events.map(\.id.uuid)), \(events.map(\.type)), \(events.map(\.subject)), \(events.map(\.partitionKey)),
                \(events.map(\.occurredAt.stored)), \(events.map(\.traceparent)), \(events.map { String(decoding: $0.data, as: UTF8.self) }))
            """)
    }
}

extension Timestamp {
    package init(_ stored: PostgresTimestamp) {
        self.init(microsecondsSinceUnixEpoch: stored.microsecondsSinceUnixEpoch)
    }

    /// As Postgres keeps it.
    package var stored: PostgresTimestamp { PostgresTimestamp(microsecondsSinceUnixEpoch: microsecondsSinceUnixEpoch) }
}
