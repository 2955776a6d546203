package import Contracts
internal import FoundationEssentials
internal import Postgres

/// An event as it lies in an outbox.
package struct OutboxRow: Sendable, Hashable {
    /// The place in the order of its partition key.
    package let id: Int64
    package let partition: Int
    package let eventID: EventID
    package let type: String
    package let subject: String
    package let partitionKey: String
    package let occurredAt: Timestamp
    package let traceparent: String?
    /// JSON, as the producer wrote it.
    package let data: String

    package init(
        id: Int64, partition: Int, eventID: EventID, type: String, subject: String, partitionKey: String, occurredAt: Timestamp,
        traceparent: String?, data: String
    ) {
        self.id = id
        self.partition = partition
        self.eventID = eventID
        self.type = type
        self.subject = subject
        self.partitionKey = partitionKey
        self.occurredAt = occurredAt
        self.traceparent = traceparent
        self.data = data
    }

    /// The columns of an event `e`.
    static let columns = PostgresColumns(
        ("e.id", Int64.self), (OutboxPartition.expression("e"), Int32.self), ("e.event_id", UUID.self), ("e.type", String.self),
        ("e.subject", String.self), ("e.partition_key", String.self), ("e.occurred_at", PostgresTimestamp.self),
        ("e.traceparent", String?.self), ("e.data", String.self))

    /// - Parameter row: One that begins with ``columns``.
    init(row: PostgresRow) throws(PostgresError) {
        let (id, partition, eventID, type, subject, partitionKey, occurredAt, traceparent, data) = try row.decode(Self.columns)
        self.init(
            id: id, partition: Int(partition), eventID: EventID(eventID), type: type, subject: subject, partitionKey: partitionKey,
            occurredAt: Timestamp(occurredAt), traceparent: traceparent, data: data)
    }
}

/// The partitions of an outbox: what one relay leases and publishes in order.
package enum OutboxPartition {
    package static let count = 64

    /// The partition of an event of the table's alias, an integer from 0.
    static func expression(_ alias: String) -> String { "(hashtextextended(\(alias).partition_key, 0) & 63)::integer" }

    /// Where an array of one value per partition has the event's: the first index of an array is 1.
    static func place(_ alias: String) -> String { "1 + \(expression(alias))" }
}
