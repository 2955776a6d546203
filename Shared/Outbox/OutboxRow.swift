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

    /// The columns of an event `e`, as `init(row:)` reads them.
    static let columns = """
        e.id, \(OutboxPartition.expression("e")), e.event_id, e.type, e.subject, e.partition_key, e.occurred_at, e.traceparent, e.data
        """

    init(row: PostgresRow) throws(PostgresError) {
        id = try row.decode(0)
        partition = Int(try row.decode(1, as: Int32.self))
        eventID = EventID(try row.decode(2, as: UUID.self))
        type = try row.decode(3)
        subject = try row.decode(4)
        partitionKey = try row.decode(5)
        occurredAt = Timestamp(try row.decode(6, as: PostgresTimestamp.self))
        traceparent = try row.decodeIfPresent(7)
        data = try row.decode(8)
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
