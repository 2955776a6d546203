import Contracts
import HTTPService
import Idempotency
import Postgres

/// How a keyed request was decided.
struct KeptRequest {
    /// Its canonical form, which says all that its answer is rendered from.
    let canonical: ExactText
    /// The id of the request that was first refused; nil when it was done.
    let refusedRequestID: String?
}

/// The SQL of idempotency keys.
struct IdempotencyKeyStore {
    /// - Throws: `PostgresError`.
    func kept(_ session: PostgresSession, _ key: ScopedKey) throws -> KeptRequest? {
        try session.query("SELECT request, refused_request_id FROM idempotency_keys WHERE id = \(key.id)").first.map { row in
            KeptRequest(canonical: ExactText(try row.decode(0)), refusedRequestID: try row.decodeIfPresent(1))
        }
    }

    /// - Throws: `PostgresError`, of the state `uniqueViolation` when another request with the key was faster.
    func insert(_ session: PostgresSession, _ key: ScopedKey, _ request: KeptRequest) throws {
        try session.execute(
            """
            INSERT INTO idempotency_keys (id, caller, principal, key, request, refused_request_id)
            VALUES (\(key.id), \(key.caller), \(key.principal), \(key.key), \(request.canonical.string), \(request.refusedRequestID))
            """)
    }

    /// Deletes expired keys through the one function that may.
    ///
    /// - Returns: how many.
    /// - Throws: `PostgresError`.
    func expire(_ session: PostgresSession, atMost limit: Int32) throws -> Int {
        Int(try session.query("SELECT expire_idempotency_keys(\(limit))")[0].decode(0, as: Int32.self))
    }
}
