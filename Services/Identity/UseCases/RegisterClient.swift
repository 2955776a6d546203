package import Contracts
package import Postgres

/// Registers a client, for operators.
package struct RegisterClient: Sendable {
    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp
    private let store = ClientStore()

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.now = now
    }

    /// - Returns: the secret of a confidential client, which nobody can be told again; nil for a public one.
    /// - Throws: ``ClientRegistrationFault``, `PostgresError`.
    package func callAsFunction(_ client: OAuthClient) async throws -> String? {
        try ClientRegistration.check(client)
        let (secret, now) = (client.isConfidential ? OpaqueSecret.random() : nil, now())
        try await pool.withTransaction { session in
            guard try store.insert(session, client, at: now) else {
                throw ClientRegistrationFault("there is a client \(client.id) already")
            }
            if let secret { try store.addSecret(session, secret, to: client.id, at: now) }
        }
        return secret?.text
    }
}
