package import Contracts
package import Postgres

/// Gives a client a new secret; the one that it has stays good for a while, so that it can change over without a pause.
package struct RotateClientSecret: Sendable {
    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp
    private let store = ClientStore()

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.now = now
    }

    /// - Parameter overlap: How long the latest secret stays good; older ones end now.
    /// - Returns: the new secret, which nobody can be told again.
    /// - Throws: ``ClientRegistrationFault`` for an unknown client and for one without secrets, `PostgresError`.
    package func callAsFunction(_ id: String, overlap: Duration) async throws -> String {
        let (secret, now) = (OpaqueSecret.random(), now())
        try await pool.withTransaction { session in
            guard let client = try store.lock(session, id) else { throw ClientRegistrationFault("there is no client \(id)") }
            guard client.isConfidential else { throw ClientRegistrationFault("the client \(id) is public and has no secrets") }
            try store.expireSecrets(session, of: id, latestAt: now + overlap, at: now)
            try store.addSecret(session, secret, to: id, at: now)
        }
        return secret.text
    }
}
