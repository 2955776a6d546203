import Contracts
import FoundationEssentials
import HTTPService
import Idempotency
import Outbox
import Postgres

/// The idempotency keys beside a batch's own: those of independent batches, and the upkeep.
struct IdempotencyKeyStore {
    /// Takes a key for good for an independent batch, in a statement of its own.
    ///
    /// - Returns: what the key was used for before.
    func take(_ session: PostgresSession, _ key: ScopedKey, for canonical: ExactText) throws -> KeptKey? {
        let columns = KeptOutcome.batchTaken.stored
        let taken = try session.query(
            """
            INSERT INTO idempotency_keys (id, caller, principal, key, request, outcome, created_at)
            VALUES (\(key.id), \(key.caller), \(key.principal), \(key.key), \(canonical.string), \(columns.outcome), clock_timestamp())
            ON CONFLICT (id) DO NOTHING RETURNING true
            """)
        guard taken.isEmpty else { return nil }
        return try WalletStore().keptKey(session, key)
    }

    /// The canonical requests of keys that were used.
    func requests(_ session: PostgresSession, _ ids: [UUID]) throws -> [UUID: ExactText] {
        var found: [UUID: ExactText] = [:]
        for row in try session.query("SELECT id, request FROM idempotency_keys WHERE id = ANY(\(ids))") {
            found[try row.decode(0)] = ExactText(try row.decode(1))
        }
        return found
    }

    /// Deletes expired keys through the one function that may.
    /// - Returns: how many.
    func expire(_ session: PostgresSession, atMost limit: Int32) throws -> Int {
        Int(try session.query("SELECT expire_idempotency_keys(\(limit))")[0].decode(0, as: Int32.self))
    }
}
