package import Contracts
internal import FoundationEssentials
package import Postgres

/// Events that were set aside: what a relay tries again, and what operators see.
///
/// When one is due again is a time of the database's clock. One that lies further off than any pause was noted by a clock that was ahead, and
/// counts as due.
package struct DeferredEventStore: Sendable {
    /// No event waits longer for its next attempt, and none is longer in an operator's hands.
    package static let longestPause = Duration.seconds(300)
    private static let isDue = """
        (next_attempt_at <= now() OR next_attempt_at > now() + interval '\(longestPause.components.seconds) seconds')
        """

    package init() {}

    /// A partition key with held events.
    package struct DeferredKey: Sendable, Hashable {
        package let partitionKey: String
        package let partition: Int
        /// Otherwise its events only wait, because whoever was about to publish them died.
        package let isFailing: Bool
    }

    /// An event that is set aside, with itself.
    package struct DeferredEvent: Sendable, Hashable {
        package let row: OutboxRow
        package let attempts: Int

        package init(row: OutboxRow, attempts: Int) {
            self.row = row
            self.attempts = attempts
        }
    }

    /// An event that is set aside, without what it says.
    package struct Summary: Sendable, Hashable {
        package let id: Int64
        package let eventID: EventID
        package let type: String
        package let partitionKey: String
        package let occurredAt: Timestamp
        package let attempts: Int
        package let reason: String
        package let firstFailedAt: Timestamp
        package let lastFailedAt: Timestamp
        package let isDiscarded: Bool
        package let note: String?
    }

    /// Which parked or discarded events an operator means.
    package struct Selection: Sendable, Hashable {
        /// Of these, parked and discarded ones are found.
        package var states: [DeferredState]
        package var id: Int64?
        package var eventID: EventID?
        package var type: String?
        /// Failed for the first time then or later.
        package var since: Timestamp?
        package var limit: Int

        package init(
            states: [DeferredState] = [.parked], id: Int64? = nil, eventID: EventID? = nil, type: String? = nil, since: Timestamp? = nil, limit: Int
        ) {
            self.states = states
            self.id = id
            self.eventID = eventID
            self.type = type
            self.since = since
            self.limit = limit
        }
    }

    /// The keys of which something is failing or waits, in these partitions.
    /// - Throws: `PostgresError`.
    package func keys(_ session: PostgresSession, partitions: [Int]) throws -> [DeferredKey] {
        try session.query(
            """
            SELECT partition_key, partition, bool_or(state = 'failing') FROM outbox_held
            WHERE partition = ANY(\(partitions.map(Int16.init(truncatingIfNeeded:)))) AND state IN ('failing', 'waiting') GROUP BY 1, 2
            """
        ).map { row in
            let (partitionKey, partition, isFailing) = try row.decode(String.self, Int16.self, Bool.self)
            return DeferredKey(partitionKey: partitionKey, partition: Int(partition), isFailing: isFailing)
        }
    }

    /// The first held events of keys, those whose time has come; of the keys that are due longest.
    /// - Throws: `PostgresError`.
    package func due(_ session: PostgresSession, partitions: [Int], limit: Int) throws -> [DeferredEvent] {
        try rows(
            session.query(
                """
                SELECT \(unsafeSQL: OutboxRow.columns), h.attempts FROM (
                    SELECT DISTINCT partition_key FROM (
                        SELECT partition_key FROM outbox_held WHERE state = 'failing' AND \(unsafeSQL: Self.isDue)
                            AND partition = ANY(\(partitions.map(Int16.init(truncatingIfNeeded:)))) ORDER BY next_attempt_at LIMIT \(Int64(limit))
                    ) due
                ) wanted CROSS JOIN LATERAL (
                    SELECT id, attempts, next_attempt_at FROM outbox_held
                    WHERE partition_key = wanted.partition_key AND state IN ('failing', 'waiting') ORDER BY id LIMIT 1
                ) h JOIN outbox_events e ON e.id = h.id WHERE \(unsafeSQL: Self.isDue) ORDER BY e.id
                """))
    }

    /// The held events of partitions that lie behind no mark: whoever set them aside did not live to move it.
    /// - Throws: `PostgresError`.
    package func unmarked(_ session: PostgresSession, partitions: [Int]) throws -> [Int64] {
        try session.query(
            """
            SELECT h.id FROM outbox_held h JOIN relay_partitions p ON p.partition = h.partition
            WHERE h.partition = ANY(\(partitions.map(Int16.init(truncatingIfNeeded:)))) AND h.id > p.published_through
            """
        ).map { row in try row.decode(Int64.self) }
    }

    /// The events of a key that are failing or wait, in order.
    /// - Throws: `PostgresError`.
    package func held(_ session: PostgresSession, partitionKey: String, limit: Int) throws -> [DeferredEvent] {
        try rows(
            session.query(
                """
                SELECT \(unsafeSQL: OutboxRow.columns), h.attempts FROM outbox_held h JOIN outbox_events e ON e.id = h.id
                WHERE h.partition_key = \(partitionKey) AND h.state IN ('failing', 'waiting') ORDER BY h.id LIMIT \(Int64(limit))
                """))
    }

    /// How many events are set aside, by state, ``OutboxUpkeep/countedAtMost`` in all, and when the first that is failing or waits occurred.
    /// - Throws: `PostgresError`.
    package func counts(_ session: PostgresSession) throws -> (counts: [DeferredState: Int], oldest: Timestamp?) {
        var counts: [DeferredState: Int] = [:]
        let counted: PostgresQuery = """
            SELECT state, count(*) FROM (SELECT state FROM outbox_held LIMIT \(Int64(OutboxUpkeep.countedAtMost))) counted GROUP BY 1
            """
        for row in try session.query(counted) {
            let (name, count) = try row.decode(String.self, Int64.self)
            guard let state = DeferredState(rawValue: name) else { continue }
            counts[state] = Int(count)
        }
        let oldest = try session.query(
            """
            SELECT e.occurred_at FROM outbox_held h JOIN outbox_events e ON e.id = h.id
            WHERE h.state IN ('failing', 'waiting') ORDER BY h.id LIMIT 1
            """
        ).first.map { row in Timestamp(try row.decode(PostgresTimestamp.self)) }
        return (counts, oldest)
    }

    /// The parked or discarded events that were selected, in order.
    /// - Throws: `PostgresError`.
    package func parked(_ session: PostgresSession, _ selection: Selection) throws -> [Summary] {
        try session.query(
            """
            SELECT \(unsafeSQL: Self.summaryColumns)
            FROM outbox_held h JOIN outbox_events e ON e.id = h.id
            WHERE h.state IN ('parked', 'discarded') AND h.state = ANY(\(selection.states.map(\.rawValue)))
                AND (\(selection.id)::bigint IS NULL OR e.id = \(selection.id))
                AND (\(selection.eventID?.uuid)::uuid IS NULL OR e.event_id = \(selection.eventID?.uuid))
                AND (\(selection.type)::text IS NULL OR e.type = \(selection.type))
                AND (\(selection.since?.stored)::timestamptz IS NULL OR h.first_failed_at >= \(selection.since?.stored))
            ORDER BY e.id LIMIT \(Int64(selection.limit))
            """
        ).map(Self.summary)
    }

    /// Takes parked events into this caller's hands for that many seconds, in order; nobody else gets them in that time.
    ///
    /// - Returns: those that are still parked and in nobody's hands.
    /// - Throws: `PostgresError`.
    package func claimParked(_ session: PostgresSession, ids: [Int64], for seconds: Double) throws -> [DeferredEvent] {
        try rows(
            session.query(
                """
                WITH claimed AS (
                    UPDATE outbox_held SET next_attempt_at = clock_timestamp() + make_interval(secs => \(seconds))
                    WHERE id = ANY(\(ids)) AND state = 'parked' AND \(unsafeSQL: Self.isDue) RETURNING id, attempts
                )
                SELECT \(unsafeSQL: OutboxRow.columns), h.attempts FROM claimed h JOIN outbox_events e ON e.id = h.id ORDER BY e.id
                """))
    }

    /// Parked events were published after all.
    /// - Throws: `PostgresError`.
    package func published(_ session: PostgresSession, ids: [Int64]) throws {
        guard !ids.isEmpty else { return }
        try session.execute("DELETE FROM outbox_held WHERE id = ANY(\(ids)) AND state = 'parked'")
    }

    /// Parked events failed once more, and are in nobody's hands again.
    /// - Throws: `PostgresError`.
    package func failed(_ session: PostgresSession, ids: [Int64], reasons: [String]) throws {
        guard !ids.isEmpty else { return }
        try session.execute(
            """
            UPDATE outbox_held h SET attempts = attempts + 1, reason = f.reason, last_failed_at = clock_timestamp(),
                next_attempt_at = clock_timestamp()
            FROM unnest(\(ids), \(reasons)) AS f (id, reason) WHERE h.id = f.id AND h.state = 'parked'
            """)
    }

    /// Parked events are in nobody's hands again, and otherwise as they were.
    /// - Throws: `PostgresError`.
    package func released(_ session: PostgresSession, ids: [Int64]) throws {
        guard !ids.isEmpty else { return }
        try session.execute("UPDATE outbox_held SET next_attempt_at = clock_timestamp() WHERE id = ANY(\(ids)) AND state = 'parked'")
    }

    /// Gives a parked event up, for a reason that is kept.
    /// - Returns: whether it was parked and in nobody's hands.
    /// - Throws: `PostgresError`.
    package func discard(_ session: PostgresSession, eventID: EventID, note: String) throws -> Bool {
        try session.execute(
            """
            UPDATE outbox_held h SET state = 'discarded', note = \(note) FROM outbox_events e
            WHERE e.id = h.id AND e.event_id = \(eventID.uuid) AND h.state = 'parked' AND \(unsafeSQL: Self.isDue)
            """) > 0
    }

    private func rows(_ result: PostgresResult) throws(PostgresError) -> [DeferredEvent] {
        try result.map { row throws(PostgresError) in
            DeferredEvent(row: try OutboxRow(row: row), attempts: Int(try row.after(OutboxRow.columns).decode(Int32.self)))
        }
    }

    private static let summaryColumns = PostgresColumns(
        ("e.id", Int64.self), ("e.event_id", UUID.self), ("e.type", String.self), ("e.partition_key", String.self),
        ("e.occurred_at", PostgresTimestamp.self), ("h.attempts", Int32.self), ("h.reason", String.self),
        ("h.first_failed_at", PostgresTimestamp.self), ("h.last_failed_at", PostgresTimestamp.self), ("h.state = 'discarded'", Bool.self),
        ("h.note", String?.self))

    private static func summary(_ row: PostgresRow) throws -> Summary {
        let (id, eventID, type, key, occurredAt, attempts, reason, firstFailedAt, lastFailedAt, isDiscarded, note) = try row.decode(summaryColumns)
        return Summary(
            id: id, eventID: EventID(eventID), type: type, partitionKey: key, occurredAt: Timestamp(occurredAt), attempts: Int(attempts),
            reason: reason, firstFailedAt: Timestamp(firstFailedAt), lastFailedAt: Timestamp(lastFailedAt), isDiscarded: isDiscarded, note: note)
    }
}
