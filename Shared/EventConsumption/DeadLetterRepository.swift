internal import Contracts
internal import EncryptionKeys
internal import EventBroker
internal import FoundationEssentials
internal import Postgres

/// The table of dead letters as operators use it: finding, taking and settling them. It needs no key.
struct DeadLetterRepository: Sendable {
    let consumer: String

    /// Those that fit, in the order in which they should be replayed: by the event's time, as far as it is known.
    func list(_ filter: DeadLetterFilter, _ session: PostgresSession) throws(PostgresError) -> [DeadLetterSummary] {
        let result = try session.query(
            """
            SELECT \(unsafeSQL: Self.summaryColumns) FROM dead_letter_events
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

    private static let summaryColumns = PostgresColumns(
        ("id", Int64.self), ("event_id", UUID?.self), ("type", String?.self), ("partition_key", String?.self),
        ("occurred_at", PostgresTimestamp?.self), ("error_class", String.self), ("reason", String.self), ("attempts", Int32.self),
        ("first_failed_at", PostgresTimestamp.self), ("last_failed_at", PostgresTimestamp.self), ("status", String.self),
        ("note", String?.self), ("body_key_id", String.self))

    private func summary(_ row: PostgresRow) throws(PostgresError) -> DeadLetterSummary {
        let (
            id, eventID, type, partitionKey, occurredAt, errorClass, reason, attempts, firstFailedAt, lastFailedAt, storedStatus, note, bodyKeyID
        ) = try row.decode(Self.summaryColumns)
        guard let kind = EventFailure.Kind(rawValue: errorClass), let status = DeadLetterStatus(rawValue: storedStatus) else {
            throw PostgresError(.decoding, "a dead letter of an unknown class or status")
        }
        return DeadLetterSummary(
            id: id, eventID: eventID.map { EventID($0) }, type: type, partitionKey: partitionKey, occurredAt: occurredAt.map { Timestamp($0) },
            kind: kind, reason: reason, attempts: Int(attempts), firstFailedAt: Timestamp(firstFailedAt),
            lastFailedAt: Timestamp(lastFailedAt), status: status, note: note, bodyKeyID: bodyKeyID)
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
            let (id, isApplied, isOvertaken, isFollowed) = try row.decode(Int64.self, Bool.self, Bool.self, Bool.self)
            prospects[id] = Prospect(isApplied: isApplied, isOvertaken: isOvertaken, isFollowed: isFollowed)
        }
        return prospects
    }

    /// Takes an open one for the transaction that is open.
    ///
    /// - Returns: nil when it is not open any more, or somebody else replays it now.
    func take(_ id: Int64, _ session: PostgresSession) throws(PostgresError) -> StoredDeadLetter? {
        let result = try session.query(
            """
            SELECT \(unsafeSQL: Self.storedColumns)
            FROM dead_letter_events WHERE id = \(id) AND consumer = \(consumer) AND status = 'open' FOR UPDATE SKIP LOCKED
            """)
        guard let row = result.first else { return nil }
        let (eventID, type, messageID, contentType, routingKey, body, keyID, attempts, publisher) = try row.decode(Self.storedColumns)
        return StoredDeadLetter(
            eventID: eventID, type: type, messageID: messageID, contentType: contentType, routingKey: routingKey,
            body: DeadLetterKeys.SealedBody(keyID: keyID, bytes: body), attempts: Int(attempts), publisher: EventPublisher(stored: publisher))
    }

    private static let storedColumns = PostgresColumns(
        ("event_id", UUID?.self), ("type", String?.self), ("message_id", String?.self), ("content_type", String?.self),
        ("routing_key", String.self), ("body", [UInt8].self), ("body_key_id", String.self), ("attempts", Int32.self),
        ("published_by", String?.self))

    /// - Returns: How many of these are open.
    func open(among ids: [Int64], _ session: PostgresSession) throws(PostgresError) -> Int {
        guard !ids.isEmpty else { return 0 }
        let result = try session.query(
            "SELECT count(*) FROM dead_letter_events WHERE id = ANY (\(ids)) AND consumer = \(consumer) AND status = 'open'")
        guard let row = result.first else { return 0 }
        return Int(try row.decode(Int64.self))
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
    func opened(_ keys: DeadLetterKeys, consumer: String, isVouchedFor: Bool = false) throws(EventFailure) -> RawMessage {
        RawMessage(
            body: try keys.open(body, for: DeadLetterKeys.Owner(consumer: consumer, eventID: eventID)), messageID: messageID,
            contentType: contentType, type: type, routingKey: routingKey, publisher: isVouchedFor ? .vouchedFor : publisher, headers: [:],
            attempt: attempts + 1, firstFailedAt: nil)
    }
}
