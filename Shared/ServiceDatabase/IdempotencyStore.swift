import Contracts
package import FoundationEssentials
package import Idempotency
package import Postgres

/// The SQL of `idempotency_keys`.
package struct IdempotencyStore<Outcome: IdempotentOutcome>: Sendable {
    package init() {}

    /// - Throws: `PostgresError`; ``UnreadableIdempotencyRecord``.
    package func record(_ session: PostgresSession, of key: IdempotencyKey) throws -> IdempotencyRecord<Outcome>? {
        try session.query("SELECT \(unsafeSQL: idempotencyColumns) FROM idempotency_keys WHERE id = \(key.id)").first
            .map(IdempotencyRecord.init(row:))
    }

    /// - Throws: `PostgresError`, of the state `uniqueViolation` when another request with the key was faster.
    package func insert(_ session: PostgresSession, _ key: IdempotencyKey, _ record: IdempotencyRecord<Outcome>) throws {
        try session.execute(insertion(of: key, record))
    }

    /// Takes a key for good, unless it was used before.
    ///
    /// - Returns: what the key was used for before.
    /// - Throws: `PostgresError`; ``UnreadableIdempotencyRecord``.
    package func take(
        _ session: PostgresSession, _ key: IdempotencyKey, for record: IdempotencyRecord<Outcome>
    ) throws -> IdempotencyRecord<Outcome>? {
        while true {
            let taken = try session.query(insertion(of: key, record, onConflict: "ON CONFLICT (id) DO NOTHING RETURNING true"))
            if !taken.isEmpty { return nil }
            // Neither taken nor there: the row in the way has expired in between.
            if let earlier = try self.record(session, of: key) { return earlier }
        }
    }

    /// The fingerprints of those keys that were used, by their ids.
    ///
    /// - Throws: `PostgresError`.
    package func fingerprints(_ session: PostgresSession, of keys: [IdempotencyKey]) throws -> [UUID: RequestFingerprint] {
        var found: [UUID: RequestFingerprint] = [:]
        for row in try session.query("SELECT id, request FROM idempotency_keys WHERE id = ANY(\(keys.map(\.id)))") {
            let (id, request) = try row.decode(UUID.self, String.self)
            found[id] = RequestFingerprint(stored: request)
        }
        return found
    }

    /// Deletes keys older than 30 days through the one function that may.
    ///
    /// - Returns: how many.
    /// - Throws: `PostgresError`; nothing is deleted then.
    package func expire(_ session: PostgresSession, atMost limit: Int32) throws -> Int {
        Int(try session.query("SELECT expire_idempotency_keys(\(limit))")[0].decode(Int32.self))
    }

    private func insertion(of key: IdempotencyKey, _ record: IdempotencyRecord<Outcome>, onConflict: String = "") -> PostgresQuery {
        let outcome = record.outcome.stored
        let row: PostgresArguments = [
            "id": key.id, "caller": key.caller, "principal": key.principal, "key": key.key, "request": record.fingerprint.text.string,
            "outcome": outcome.kind, "subject_id": outcome.subject, "subject_version": outcome.version, "refusal": outcome.refusal,
            "refused_request_id": outcome.refusedRequestID,
        ]
        return """
            INSERT INTO idempotency_keys (\(unsafeSQL: row.list), created_at) VALUES (\(row), clock_timestamp())
            \(unsafeSQL: onConflict)
            """
    }
}

extension IdempotencyRecord {
    /// - Parameter row: One that begins with ``idempotencyColumns``.
    /// - Throws: `PostgresError`; ``UnreadableIdempotencyRecord``.
    package init(row: PostgresRow) throws {
        let (request, kind, subject, version, refusal, requestID) = try row.decode(idempotencyColumns)
        let stored = StoredOutcome(kind, subject: subject, version: version, refusal: refusal, refusedRequestID: requestID)
        guard let outcome = Outcome(stored) else { throw UnreadableIdempotencyRecord(kind: kind) }
        self.init(RequestFingerprint(stored: request), outcome)
    }
}

/// What a record is read from, for statements of other modules; no generic type can hold it.
package let idempotencyColumns = PostgresColumns(
    ("request", String.self), ("outcome", Int16.self), ("subject_id", UUID?.self), ("subject_version", Int64?.self),
    ("refusal", String?.self), ("refused_request_id", String?.self))
