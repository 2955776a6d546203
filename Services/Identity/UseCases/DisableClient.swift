package import Contracts
package import Postgres

/// Disables a client, or enables it again. The gate asks each time, so its refresh tokens and codes are void from then on.
package struct DisableClient: Sendable {
    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp
    private let store = ClientStore()

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.now = now
    }

    /// - Throws: ``ClientRegistrationFault`` for an unknown client, `PostgresError`.
    package func callAsFunction(_ id: String, isDisabled: Bool) async throws {
        let now = now()
        try await pool.withTransaction { session in
            guard let client = try store.lock(session, id) else { throw ClientRegistrationFault("there is no client \(id)") }
            guard isDisabled != (client.disabledAt != nil) else { return }
            try store.setDisabled(session, id, at: isDisabled ? now : nil)
        }
    }
}
