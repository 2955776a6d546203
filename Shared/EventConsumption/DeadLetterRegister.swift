internal import Contracts
internal import FoundationEssentials
internal import Postgres

/// The table of dead letters as operators use it: finding, taking and settling them. It needs no key.
struct DeadLetterRegister: Sendable {
    let consumer: String

    /// Those that fit, in the order in which they should be replayed: by the event's time, as far as it is known.
    func list(_ filter: DeadLetterFilter, _ session: PostgresSession) throws(PostgresError) -> [DeadLetterSummary] {
        let result = try session.query(
            """
            SELECT id, event_id, type, partition_key, occurred_at, error_class, reason, attempts, first_failed_at, last_failed_at, status, note,
                body_key_id
            FROM dead_letter_events
            WHERE consumer = \(consumer)
                AND (\(filter.status?.rawValue)::text IS NULL OR status = \(filter.status?.rawValue))
                AND (\(filter.eventID?.uuid)::uuid IS NULL OR event_id = \(filter.eventID?.uuid))
                AND (\(filter.id)::bigint IS NULL OR id = \(filter.id))
                AND (\(filter.type)::text IS NULL OR type = \(filter.type))
                AND (\(filter.kind?.rawValue)::text IS NULL OR error_class = \(filter.kind?.rawValue))
                AND (\(filter.since.map { PostgresTimestamp($0) })::timestamptz IS NULL
                    OR first_failed_at >= \(filter.since.map { PostgresTimestamp($0) }))
            ORDER BY coalesce(occurred_at, first_failed_at), id LIMIT \(Int64(filter.limit))
            """)
        var summaries: [DeadLetterSummary] = []
        for row in result { summaries.append(try summary(row)) }
        return summaries
    }

    private func summary(_ row: PostgresRow) throws(PostgresError) -> DeadLetterSummary {
        guard let kind = EventFailure.Kind(rawValue: try row.decode(5)), let status = DeadLetterStatus(rawValue: try row.decode(10)) else {
            throw PostgresError(.decoding, "a dead letter of an unknown class or status")
        }
        return DeadLetterSummary(
            id: try row.decode(0), eventID: try row.decodeIfPresent(1, as: UUID.self).map { EventID($0) },
            type: try row.decodeIfPresent(2), partitionKey: try row.decodeIfPresent(3),
            occurredAt: try row.decodeIfPresent(4, as: PostgresTimestamp.self).map { Timestamp($0) }, kind: kind, reason: try row.decode(6),
            attempts: Int(try row.decode(7, as: Int32.self)), firstFailedAt: Timestamp(try row.decode(8, as: PostgresTimestamp.self)),
            lastFailedAt: Timestamp(try row.decode(9, as: PostgresTimestamp.self)), status: status, note: try row.decodeIfPresent(11),
            bodyKeyID: try row.decode(12))
    }

    /// What a replay of each would meet.
    struct Prospect: Sendable, Hashable {
        var isApplied = false
        /// A later event of the same partition key was applied.
        var isOvertaken = false
        /// A later event of the same partition key is an open dead letter.
        var isFollowed = false
    }

    func prospects(of ids: [Int64], _ session: PostgresSession) throws(PostgresError) -> [Int64: Prospect] {
        let result = try session.query(
            """
            SELECT letter.id,
                EXISTS (SELECT FROM processed_events AS processed
                    WHERE processed.consumer = letter.consumer AND processed.event_id = letter.event_id),
                EXISTS (SELECT FROM processed_events AS later
                    WHERE later.partition_hash = hashtextextended(letter.partition_key, 0) AND later.occurred_at > letter.occurred_at
                        AND later.consumer = letter.consumer),
                EXISTS (SELECT FROM dead_letter_events AS later
                    WHERE later.consumer = letter.consumer AND later.status = 'open' AND later.partition_key = letter.partition_key
                        AND later.occurred_at > letter.occurred_at)
            FROM dead_letter_events AS letter WHERE letter.id = ANY (\(ids)) AND letter.consumer = \(consumer)
            """)
        var prospects: [Int64: Prospect] = [:]
        for row in result {
            prospects[try row.decode(0)] = Prospect(
                isApplied: try row.decode(1), isOvertaken: try row.decode(2), isFollowed: try row.decode(3))
        }
        return prospects
    }

    /// Takes an open one for the transaction that is open.
    ///
    /// - Returns: nil when it is not open any more, or somebody else replays it now.
    func take(_ id: Int64, _ session: PostgresSession) throws(PostgresError) -> StoredDeadLetter? {
        let result = try session.query(
            """
            SELECT event_id, type, message_id, content_type, routing_key, body, body_key_id, attempts, published_by
            FROM dead_letter_events WHERE id = \(id) AND consumer = \(consumer) AND status = 'open' FOR UPDATE SKIP LOCKED
            """)
        guard let row = result.first else { return nil }
        return StoredDeadLetter(
            eventID: try row.decodeIfPresent(0), type: try row.decodeIfPresent(1), messageID: try row.decodeIfPresent(2),
            contentType: try row.decodeIfPresent(3), routingKey: try row.decode(4),
            body: DeadLetterKeys.SealedBody(keyID: try row.decode(6), bytes: try row.decode(5)),
            attempts: Int(try row.decode(7, as: Int32.self)), publisher: EventPublisher(stored: try row.decodeIfPresent(8)))
    }

    /// - Returns: How many of these are open.
    func open(among ids: [Int64], _ session: PostgresSession) throws(PostgresError) -> Int {
        guard !ids.isEmpty else { return 0 }
        let result = try session.query(
            "SELECT count(*) FROM dead_letter_events WHERE id = ANY (\(ids)) AND consumer = \(consumer) AND status = 'open'")
        guard let row = result.first else { return 0 }
        return Int(try row.decode(0, as: Int64.self))
    }

    /// - Returns: Whether it was open.
    @discardableResult
    func settle(
        _ id: Int64, as status: DeadLetterStatus, run: Int64?, by person: String, note: String?, _ session: PostgresSession
    ) throws(PostgresError) -> Bool {
        try session.execute(
            """
            UPDATE dead_letter_events SET status = \(status.rawValue), replay_run = coalesce(\(run), replay_run), note = coalesce(\(note), note),
                settled_at = now(), settled_by = \(person)
            WHERE id = \(id) AND consumer = \(consumer) AND status = 'open'
            """) == 1
    }

    /// Notes that a replay failed; it stays open.
    func failedAgain(_ id: Int64, _ failure: EventFailure, run: Int64, _ session: PostgresSession) throws(PostgresError) {
        try session.execute(
            """
            UPDATE dead_letter_events SET attempts = attempts + 1, error_class = \(failure.kind.rawValue), reason = \(failure.reason),
                last_failed_at = greatest(last_failed_at, now()), replay_run = \(run)
            WHERE id = \(id) AND consumer = \(consumer) AND status = 'open'
            """)
    }
}

/// A dead letter with its body, still encrypted.
struct StoredDeadLetter: Sendable {
    let eventID: UUID?
    let type: String?
    let messageID: String?
    let contentType: String?
    let routingKey: String
    let body: DeadLetterKeys.SealedBody
    let attempts: Int
    let publisher: EventPublisher

    /// - Throws: ``EventFailure`` when the body does not open.
    func opened(_ keys: DeadLetterKeys, consumer: String, isVouchedFor: Bool = false) throws(EventFailure) -> CarriedEvent {
        CarriedEvent(
            body: try keys.open(body, for: DeadLetterKeys.Owner(consumer: consumer, eventID: eventID)), messageID: messageID,
            contentType: contentType, type: type, routingKey: routingKey, publisher: isVouchedFor ? .vouchedFor : publisher, headers: [:],
            attempt: attempts + 1, firstFailedAt: nil)
    }
}
