package import Contracts
package import Postgres

/// Changes what an account says of its owner. Its address is not among it (ID-09).
package struct ChangeProfile: Sendable {
    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.now = now
    }

    /// - Throws: ``AccountRefusal`` `signedOut`; `PostgresError`.
    package func callAsFunction(
        _ request: ChangeProfileRequest, _ asking: SignedInUser, until deadline: ContinuousClock.Instant?
    ) async throws -> ProfileBody {
        let now = now()
        return try await pool.withTransaction(within: WaitLimit(until: deadline)) { session in
            _ = try users.lock(asking.user, session)
            try asking.check(at: now, session)
            try users.change(asking.user, name: request.name, locale: request.locale, at: now, session)
            return try asking.profile(session)
        }
    }
}
