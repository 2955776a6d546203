package import Contracts
package import Postgres

/// Lists the sessions that ended lately, whose access tokens may not have expired yet, oldest first: for whoever verifies tokens and has
/// just started.
package struct ListRevocations: Sendable {
    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.now = now
    }

    /// - Parameters:
    ///   - since: Ended then or later; nil is all that can matter.
    ///   - after: The revocation that the last page ended with.
    /// - Throws: `PostgresError`.
    package func callAsFunction(
        since: Timestamp?, after last: RevocationPlace?, limit: Int, until deadline: ContinuousClock.Instant?
    ) async throws -> (items: [RevocationBody], next: RevocationPlace?) {
        let oldest = now() - .seconds(SessionLife.tokenSeconds)
        let from = max(since ?? oldest, oldest)
        let found = try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            try SessionStore().ended(since: from, after: last, limit: limit + 1, session)
        }
        let page = found.prefix(limit)
        return (page.map { $0.body }, found.count > limit ? page.last : nil)
    }
}

extension RevocationPlace {
    fileprivate var body: RevocationBody {
        RevocationBody(sessionID: SessionID(session), revokedAt: endedAt, tokensExpireAt: endedAt.adding(seconds: SessionLife.tokenSeconds))
    }
}
