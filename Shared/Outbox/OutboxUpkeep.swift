package import Contracts
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

    /// The events behind the marks that are not set aside, those of every relay.
    package struct Backlog: Sendable, Hashable {
        /// ``countedAtMost`` at most.
        package let count: Int
        /// When the oldest of those occurred that lie in partitions which no relay leases. The others' age their relays know: what is
        /// published may not be marked for as long as a transaction is open.
        package let oldestUnleased: Timestamp?
    }

    /// - Throws: `PostgresError`.
    package func backlog(_ session: PostgresSession) throws -> Backlog {
        // As a value: of a sub-query the planner knows nothing, and may read all that is kept.
        let lowest = try session.query("SELECT min(published_through) FROM relay_partitions")[0].decode(0, as: Int64.self)
        let result = try session.query(
            """
            SELECT count(*), min(occurred_at) FILTER (WHERE expires_at <= clock_timestamp()) FROM (
                SELECT e.occurred_at, p.expires_at
                FROM outbox_events e JOIN relay_partitions p ON p.partition = \(unsafeSQL: OutboxPartition.expression("e"))
                WHERE e.id > \(lowest) AND e.id > p.published_through
                    AND NOT EXISTS (SELECT FROM outbox_held h WHERE h.id = e.id)
                ORDER BY e.id LIMIT \(Int64(Self.countedAtMost))
            ) behind
            """)
        return Backlog(
            count: Int(try result[0].decode(0, as: Int64.self)),
            oldestUnleased: try result[0].decode(1, as: PostgresTimestamp?.self).map(Timestamp.init))
    }
}
