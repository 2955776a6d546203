internal import Contracts
internal import FoundationEssentials
internal import Postgres

/// The table by which an event has its effect once: a row in it is written in the effect's own transaction.
struct ProcessedEvents: Sendable {
    let consumer: String

    /// Notes events as processed. One that another transaction has noted and not committed yet is waited for.
    ///
    /// The rows come in the order of their ids, so that two consumers with the same events wait for each other in one direction only.
    func insertion(of envelopes: [EventEnvelope]) -> PostgresQuery {
        """
        INSERT INTO processed_events (consumer, event_id, partition_hash, occurred_at)
        SELECT \(consumer), event.id, hashtextextended(event.partition_key, 0), event.occurred_at
        FROM unnest(\(envelopes.map(\.id.uuid)), \(envelopes.map(\.partitionKey)), \(envelopes.map { PostgresTimestamp($0.time) }))
            AS event (id, partition_key, occurred_at)
        ORDER BY event.id
        ON CONFLICT (consumer, event_id) DO NOTHING
        RETURNING event_id
        """
    }

    /// - Parameter result: Of the insertion.
    /// - Returns: The events that had not been processed.
    func inserted(_ result: PostgresResult?) throws(PostgresError) -> Set<UUID> {
        guard let result else { return [] }
        var ids = Set<UUID>(minimumCapacity: result.rowCount)
        for row in result { ids.insert(try row.decode(UUID.self)) }
        return ids
    }

    /// Deletes at most that many rows older than 30 days.
    /// - Returns: How many.
    static func expire(_ session: PostgresSession, atMost count: Int32) throws(PostgresError) -> Int {
        let result = try session.query("SELECT expire_processed_events(\(count))")
        guard let row = result.first else { return 0 }
        return Int(try row.decode(Int32.self))
    }
}

extension PostgresTimestamp {
    init(_ time: Timestamp) { self.init(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch) }
}

extension Timestamp {
    init(_ time: PostgresTimestamp) { self.init(microsecondsSinceUnixEpoch: time.microsecondsSinceUnixEpoch) }
}
