package import Contracts
package import FoundationEssentials
package import Postgres

/// Finds the user of an address, for somebody who wants to pay them. What is not found counts for the asker: nobody reads the addresses of
/// all customers out of it.
package struct ResolveUser: Sendable {
    private let pool: PostgresPool
    private let attempts: AttemptCounter
    private let users = UserStore()

    package init(pool: PostgresPool, attempts: AttemptCounter) {
        self.pool = pool
        self.attempts = attempts
    }

    /// - Parameter asker: The user for whom it is asked.
    /// - Throws: ``AccountRefusal`` `unknownUser` for an address without an active user, or for a text that is none; ``CredentialRefusal``
    ///   `blocked`; `PostgresError`.
    package func callAsFunction(_ request: ResolveUserRequest, for asker: UUID, _ facts: RequestFacts) async throws -> UserID {
        let attempt = try await attempts.begin(
            .resolve, on: .user(asker), from: AttemptOrigin(deviceHash: nil, network: facts.origin.network), isKnownDevice: true,
            until: facts.deadline)
        let user = try await pool.withSession(within: WaitLimit(until: facts.deadline)) { session in
            try EmailAddress(request.email).flatMap { try users.find(emailKey: $0.key, session) }
        }
        guard let user, user.status == .active else { throw AccountRefusal.unknownUser }
        // Taken back, not forgiven: an address that one knows would wipe out those that one guessed.
        try await attempts.withdraw(attempt)
        return user.userID
    }
}
