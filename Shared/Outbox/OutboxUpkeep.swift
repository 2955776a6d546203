package import Postgres

/// What is asked of an outbox now and then.
package struct OutboxUpkeep: Sendable {
    /// More than this many events count as this many.
    package static let countedAtMost = 10_000

    package init() {}

    /// Deletes published events that occurred longer ago than that, oldest first.
    ///
    /// - Returns: how many it deleted, `limit` at most.
    /// - Throws: `PostgresError`.
    package func prune(_ session: PostgresSession, olderThanDays days: Int, limit: Int) throws -> Int {
        let result = try session.query(
            "SELECT prune_outbox(make_interval(days => \(Int32(truncatingIfNeeded: days))), \(Int32(truncatingIfNeeded: limit)))")
        return Int(try result[0].decode(0, as: Int32.self))
    }

    /// How many events lie behind the marks and are not set aside, those of every relay; ``countedAtMost`` at most.
    /// - Throws: `PostgresError`.
    package func backlog(_ session: PostgresSession) throws -> Int {
        // As a value: of a sub-query the planner knows nothing, and may read all that is kept.
        let lowest = try session.query("SELECT min(published_through) FROM relay_partitions")[0].decode(0, as: Int64.self)
        let result = try session.query(
            """
            SELECT count(*) FROM (
                SELECT FROM outbox_events e JOIN relay_partitions p ON p.partition = \(unsafeSQL: OutboxPartition.expression("e"))
                WHERE e.id > \(lowest) AND e.id > p.published_through
                    AND NOT EXISTS (SELECT FROM outbox_held h WHERE h.id = e.id) LIMIT \(Int64(Self.countedAtMost))
            ) behind
            """)
        return Int(try result[0].decode(0, as: Int64.self))
    }
}
