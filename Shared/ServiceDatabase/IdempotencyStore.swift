import Contracts
package import FoundationEssentials
package import Idempotency
package import Postgres

/// The SQL of `idempotency_keys`.
package struct IdempotencyStore<Outcome: IdempotentOutcome>: Sendable {
    package init() {}

    /// - Throws: `PostgresError`; ``UnreadableIdempotencyRecord``.
    package func record(_ session: PostgresSession, of key: IdempotencyKey) throws -> IdempotencyRecord<Outcome>? {
        try session.query("SELECT \(unsafeSQL: IdempotencyRecord<Outcome>.columns) FROM idempotency_keys WHERE id = \(key.id)").first
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
            found[try row.decode(0)] = RequestFingerprint(stored: try row.decode(1))
        }
        return found
    }

    /// Deletes keys older than 30 days through the one function that may.
    ///
    /// - Returns: how many.
    /// - Throws: `PostgresError`; nothing is deleted then.
    package func expire(_ session: PostgresSession, atMost limit: Int32) throws -> Int {
        Int(try session.query("SELECT expire_idempotency_keys(\(limit))")[0].decode(0, as: Int32.self))
    }

    private func insertion(of key: IdempotencyKey, _ record: IdempotencyRecord<Outcome>, onConflict: String = "") -> PostgresQuery {
        let outcome = record.outcome.stored
        return """
            INSERT INTO idempotency_keys (id, caller, principal, key, request, outcome, subject_id, subject_version, refusal,
                refused_request_id, created_at)
            VALUES (\(key.id), \(key.caller), \(key.principal), \(key.key), \(record.fingerprint.text.string), \(outcome.kind),
                \(outcome.subject), \(outcome.version), \(outcome.refusal), \(outcome.refusedRequestID), clock_timestamp())
            \(unsafeSQL: onConflict)
            """
    }
}

extension IdempotencyRecord {
    /// What ``init(row:)`` reads, from the first column on.
    package static var columns: String { "id, request, outcome, subject_id, subject_version, refusal, refused_request_id" }

    /// - Throws: `PostgresError`; ``UnreadableIdempotencyRecord``.
    package init(row: PostgresRow) throws {
        let stored = StoredOutcome(
            try row.decode(2), subject: try row.decodeIfPresent(3), version: try row.decodeIfPresent(4), refusal: try row.decodeIfPresent(5),
            refusedRequestID: try row.decodeIfPresent(6))
        guard let outcome = Outcome(stored) else { throw UnreadableIdempotencyRecord(kind: stored.kind) }
        self.init(RequestFingerprint(stored: try row.decode(1)), outcome)
    }
}
