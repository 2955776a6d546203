internal import Contracts
package import EventBroker
internal import FoundationEssentials
package import Postgres

/// What an operator sees and decides: work that was given up, and work that may have been done.
extension WorkQueue {
    /// What a replay made of one.
    package enum Replayed: String, Sendable, Hashable, CaseIterable {
        /// It waits for an attempt again.
        case replayed
        /// It is no longer worth doing; it will not be tried, and is over now.
        case expired
        /// It may have been done: only force repeats it.
        case doubtful
        /// It is not open any more.
        case taken
    }

    /// Those that fit, the oldest first. One that was replayed is no longer among them: it is work like any other again.
    ///
    /// - Throws: `PostgresError`.
    package func deadLetters(_ session: PostgresSession, _ filter: DeadLetterFilter) throws -> [DeadLetterSummary] {
        let states: [WorkState] =
            switch filter.status {
            case nil: [.dead, .unknown, .discarded]
            case .open: [.dead, .unknown]
            case .discarded: [.discarded]
            case .replayed: []
            }
        let since = filter.since.map { PostgresTimestamp(microsecondsSinceUnixEpoch: $0.microsecondsSinceUnixEpoch) }
        return try session.query(
            """
            SELECT \(unsafeSQL: Self.columns) FROM work_items
            WHERE queue = \(name) AND state = ANY (\(states.map(\.rawValue)))
                AND (\(filter.eventID?.uuid)::uuid IS NULL OR event_id = \(filter.eventID?.uuid))
                AND (\(filter.id)::bigint IS NULL OR id = \(filter.id)) AND (\(filter.type)::text IS NULL OR kind = \(filter.type))
                AND (\(filter.kind?.rawValue)::text IS NULL OR error_class = \(filter.kind?.rawValue))
                AND (\(since)::timestamptz IS NULL OR first_failed_at >= \(since))
            ORDER BY id LIMIT \(Int64(filter.limit))
            """
        ).map(summary)
    }

    private static let columns = PostgresColumns(
        ("id", Int64.self), ("event_id", UUID?.self), ("kind", String.self), ("created_at", PostgresTimestamp.self),
        ("coalesce(error_class, 'transient')", String.self), ("coalesce(reason, '')", String.self), ("attempts", Int32.self),
        ("coalesce(first_failed_at, created_at)", PostgresTimestamp.self), ("coalesce(last_failed_at, created_at)", PostgresTimestamp.self),
        ("state", String.self), ("note", String?.self))

    private func summary(_ row: PostgresRow) throws -> DeadLetterSummary {
        let (id, event, kind, createdAt, errorClass, reason, attempts, firstFailedAt, lastFailedAt, state, note) = try row.decode(Self.columns)
        guard let errorClass = DeadLetterClass(rawValue: errorClass) else { throw PostgresError(.decoding, "work of an unknown class") }
        func time(_ stored: PostgresTimestamp) -> Timestamp {
            Timestamp(microsecondsSinceUnixEpoch: stored.microsecondsSinceUnixEpoch)
        }
        return DeadLetterSummary(
            id: id, eventID: event.map { EventID($0) }, type: kind, partitionKey: nil, occurredAt: time(createdAt), kind: errorClass,
            reason: reason, attempts: Int(attempts), firstFailedAt: time(firstFailedAt), lastFailedAt: time(lastFailedAt),
            status: state == WorkState.discarded.rawValue ? .discarded : .open, note: note, bodyKeyID: nil)
    }

    /// Lets a dead letter wait for attempts again, as many as at first.
    ///
    /// - Parameter isForced: Also what may have been done.
    /// - Throws: `PostgresError`.
    package func replay(
        _ session: PostgresSession, _ id: Int64, by person: String, note: String?, isForced: Bool
    ) throws -> Replayed {
        let found = try session.query(
            """
            SELECT state, expires_at <= clock_timestamp() FROM work_items
            WHERE id = \(id) AND queue = \(name) AND state IN ('dead', 'unknown') FOR UPDATE SKIP LOCKED
            """)
        guard let row = found.first else { return .taken }
        let (state, isExpired) = try row.decode(String.self, Bool.self)
        if isExpired {
            try session.execute(
                """
                UPDATE work_items SET state = 'expired', settled_at = clock_timestamp(), settled_by = \(person), note = coalesce(\(note), note)
                WHERE id = \(id)
                """)
            return .expired
        }
        guard state != WorkState.unknown.rawValue || isForced else { return .doubtful }
        try session.execute(
            """
            UPDATE work_items SET state = 'waiting', due_at = clock_timestamp(), attempts = 0, settled_by = \(person),
                note = coalesce(\(note), note)
            WHERE id = \(id)
            """)
        return .replayed
    }

    /// Ends a dead letter for good.
    ///
    /// - Returns: Whether it was open.
    /// - Throws: `PostgresError`.
    package func discard(_ session: PostgresSession, _ id: Int64, by person: String, note: String) throws -> Bool {
        try session.execute(
            """
            UPDATE work_items SET state = 'discarded', settled_at = clock_timestamp(), settled_by = \(person), note = \(note)
            WHERE id = \(id) AND queue = \(name) AND state IN ('dead', 'unknown')
            """) == 1
    }
}
