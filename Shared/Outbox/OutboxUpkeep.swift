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
        return Int(try result[0].decode(Int32.self))
    }

    /// The events behind the marks that are not set aside, those of every relay.
    package struct Backlog: Sendable, Hashable {
        /// ``countedAtMost`` at most.
        package let count: Int
        /// When the oldest of those occurred that lie in partitions which no relay leases; while a mark is void, the oldest of all events, for
        /// any may be unpublished. The others' age their relays know: what is published may not be marked for as long as a transaction is open.
        package let oldestUnleased: Timestamp?
        /// The partitions whose marks are beyond the last event. Nobody leases them, and none of their events is counted.
        package let voidPartitions: [Int]
    }

    /// - Throws: `PostgresError`.
    package func backlog(_ session: PostgresSession) throws -> Backlog {
        // As values, and without a join: what the planner knows of a backlog that grows is out of date, and with one it may read and sort
        // all of it.
        let partitions: [(mark: Int64, isUnleased: Bool, isVoid: Bool)] = try session.query(
            """
            SELECT published_through, \(unsafeSQL: LeaseStore.isOver), \(unsafeSQL: RelayStore.isVoid) FROM relay_partitions ORDER BY partition
            """
        ).map { try $0.decode(Int64.self, Bool.self, Bool.self) }
        let query = Self.backlogQuery(marks: partitions.map(\.mark), areUnleased: partitions.map(\.isUnleased))
        let (count, unleased) = try session.query(query)[0].decode(Int64.self, PostgresTimestamp?.self)
        let voidPartitions = partitions.indices.filter { partitions[$0].isVoid }
        return Backlog(
            count: Int(count), oldestUnleased: voidPartitions.isEmpty ? unleased.map(Timestamp.init) : try oldest(session),
            voidPartitions: voidPartitions)
    }

    private func oldest(_ session: PostgresSession) throws -> Timestamp? {
        try session.query("SELECT occurred_at FROM outbox_events ORDER BY id LIMIT 1").first.map { row in
            Timestamp(try row.decode(PostgresTimestamp.self))
        }
    }

    /// By partition. Package-wide so that a test sees its plan: what is held is left out only of those that were counted.
    package static func backlogQuery(marks: [Int64], areUnleased: [Bool]) -> PostgresQuery {
        """
        SELECT count(*), min(occurred_at) FILTER (WHERE is_unleased) FROM (
            SELECT e.id, e.occurred_at, (\(areUnleased))[\(unsafeSQL: OutboxPartition.place("e"))] AS is_unleased FROM outbox_events e
            WHERE e.id > \(marks.min() ?? .max) AND e.id > (\(marks))[\(unsafeSQL: OutboxPartition.place("e"))]
            ORDER BY e.id LIMIT \(Int64(countedAtMost))
        ) behind
        WHERE NOT EXISTS (SELECT FROM outbox_held h WHERE h.id = behind.id)
        """
    }
}
