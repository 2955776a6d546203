import Postgres

/// The upkeep of idempotency keys.
struct IdempotencyKeyStore {
    /// Deletes expired keys through the one function that may.
    /// - Returns: how many.
    func expire(_ session: PostgresSession, atMost limit: Int32) throws -> Int {
        Int(try session.query("SELECT expire_idempotency_keys(\(limit))")[0].decode(0, as: Int32.self))
    }
}
