internal import Contracts
internal import EncryptionKeys
internal import EventBroker
internal import FoundationEssentials
internal import Postgres
internal import ServiceRuntime

/// The table of dead letters: writing them, and what the running consumer asks of it.
struct DeadLetterStore: Sendable {
    let consumer: String
    let keys: DeadLetterKeys

    private static let maximumTextCharacters = 255

    /// Writes dead letters in the transaction that is open. One that is there already gets the newer failure and the newer message, which
    /// may have been mended; it stays one row.
    ///
    /// A discarded one stays discarded as long as its body is the same; sealed under another key since, it counts as another. One that was
    /// replayed is open again, unless the event is known to be applied.
    func record(_ letters: [DeadLetter], _ session: PostgresSession) throws {
        _ = try session.pipeline(try letters.map { try insertion(of: $0, isReduced: false) })
    }

    /// As `record`, for one that can't be written as it is: without what others wrote, headers and names, but with its body.
    func recordReduced(_ letter: DeadLetter, _ session: PostgresSession) throws {
        try session.execute(try insertion(of: letter, isReduced: true))
    }

    private func insertion(of letter: DeadLetter, isReduced: Bool) throws -> PostgresQuery {
        let (raw, facts) = (letter.raw, letter.facts)
        let sealed = try keys.seal(raw.body, for: DeadLetterKeys.Owner(consumer: consumer, eventID: facts.eventID))
        let reason = isReduced ? "written without headers and names, which the database refused" : letter.failure.reason
        let headers = isReduced ? PostgresJSON("{}") : MessageHeaders.json(raw.headers)
        func text(_ text: String?) -> String? { isReduced ? nil : text.map { String(PlainLine.text($0.prefix(Self.maximumTextCharacters))) } }
        let target = facts.eventID == nil ? "(consumer, body_mac) WHERE event_id IS NULL" : "(consumer, event_id) WHERE event_id IS NOT NULL"
        var row: PostgresArguments = [
            "consumer": consumer, "event_id": facts.eventID, "type": text(facts.type), "partition_key": text(facts.partitionKey),
            "occurred_at": facts.time.map { PostgresTimestamp($0) }, "traceparent": text(facts.traceparent),
            "message_id": text(raw.messageID), "content_type": text(raw.contentType), "routing_key": text(raw.routingKey) ?? "",
            "headers": headers,
        ]
        row += [
            "body": sealed.bytes, "body_key_id": sealed.keyID, "body_mac": keys.identity(of: raw.body),
            "error_class": letter.failure.kind.rawValue, "reason": reason, "attempts": Int32(clamping: raw.attempt),
            "first_failed_at": PostgresTimestamp(letter.firstFailedAt), "last_failed_at": PostgresTimestamp(letter.failedAt),
            "published_by": raw.publisher.stored.map(PlainLine.text),
        ]
        return """
            INSERT INTO dead_letter_events AS letter (\(unsafeSQL: row.list)) VALUES (\(row))
            ON CONFLICT \(unsafeSQL: target) DO UPDATE SET
                type = excluded.type, partition_key = excluded.partition_key, occurred_at = excluded.occurred_at,
                traceparent = excluded.traceparent, message_id = excluded.message_id, content_type = excluded.content_type,
                routing_key = excluded.routing_key, headers = excluded.headers, body = excluded.body, body_key_id = excluded.body_key_id,
                body_mac = excluded.body_mac, published_by = excluded.published_by,
                error_class = excluded.error_class, reason = excluded.reason, attempts = greatest(letter.attempts, excluded.attempts),
                first_failed_at = least(letter.first_failed_at, excluded.first_failed_at),
                last_failed_at = greatest(letter.last_failed_at, excluded.last_failed_at),
                (status, settled_at) = (
                    SELECT CASE WHEN stays THEN letter.status ELSE 'open' END, CASE WHEN stays THEN letter.settled_at END
                    FROM (SELECT CASE letter.status
                        WHEN 'discarded' THEN (letter.body_key_id, letter.body_mac) = (excluded.body_key_id, excluded.body_mac)
                        WHEN 'replayed' THEN EXISTS (
                            SELECT FROM processed_events AS processed
                            WHERE processed.consumer = letter.consumer AND processed.event_id = letter.event_id)
                        ELSE false END AS stays) AS decision)
            """
    }

    /// What an operator is alarmed by.
    struct Counts: Sendable, Hashable {
        var open = 0
        /// Seconds since the oldest open one failed for the first time; 0 when there is none.
        var oldestAge = 0.0
        /// By all runs there ever were.
        var replayed = 0
        var alreadyApplied = 0
        var failedAgain = 0
    }

    func counts(_ session: PostgresSession) throws(PostgresError) -> Counts {
        let result = try session.query(
            """
            SELECT letters.count, letters.age, runs.replayed, runs.already_applied, runs.failed
            FROM (SELECT count(*) AS count, coalesce(extract(epoch FROM now() - min(first_failed_at)), 0)::float8 AS age
                FROM dead_letter_events WHERE consumer = \(consumer) AND status = 'open') AS letters,
                (SELECT coalesce(sum(replayed), 0) AS replayed, coalesce(sum(already_applied), 0) AS already_applied,
                    coalesce(sum(failed), 0) AS failed FROM replay_runs WHERE consumer = \(consumer)) AS runs
            """)
        guard let row = result.first else { return Counts() }
        let (open, age, replayed, alreadyApplied, failed) = try row.decode(Int64.self, Double.self, Int64.self, Int64.self, Int64.self)
        return Counts(
            open: Int(open), oldestAge: max(0, age), replayed: Int(replayed), alreadyApplied: Int(alreadyApplied), failedAgain: Int(failed))
    }

    /// Deletes at most that many that were settled 90 days ago or earlier.
    /// - Returns: How many.
    static func expire(_ session: PostgresSession, atMost count: Int32) throws(PostgresError) -> Int {
        let result = try session.query("SELECT expire_dead_letters(\(count))")
        guard let row = result.first else { return 0 }
        return Int(try row.decode(Int32.self))
    }
}
