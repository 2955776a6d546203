package import Contracts
package import FoundationEssentials
package import Postgres

/// A person and the session in which they ask.
package struct SignedInUser: Sendable, Hashable {
    package let user: UUID
    package let session: UUID

    package init(user: UUID, session: UUID) {
        self.user = user
        self.session = session
    }
}

/// Reads what an account says of its owner, for its owner.
package struct ReadProfile: Sendable {
    private let pool: PostgresPool
    private let now: @Sendable () -> Timestamp

    package init(pool: PostgresPool, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.now = now
    }

    /// - Throws: ``AccountRefusal`` `signedOut`; `PostgresError`.
    package func callAsFunction(_ asking: SignedInUser, until deadline: ContinuousClock.Instant?) async throws -> ProfileBody {
        let now = now()
        return try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            try asking.check(at: now, session)
            return try asking.profile(session)
        }
    }
}

extension SignedInUser {
    /// A token outlives its session by some minutes; here its session must be alive.
    ///
    /// - Throws: ``AccountRefusal`` `signedOut`; `PostgresError`.
    func check(at now: Timestamp, _ session: PostgresSession) throws {
        guard try SessionStore().find(self.session, of: user, at: now, session) != nil else { throw AccountRefusal.signedOut }
    }

    /// - Throws: ``AccountRefusal`` `signedOut`; `PostgresError`.
    func profile(_ session: PostgresSession) throws -> ProfileBody {
        let users = UserStore()
        guard let account = try users.find(user, session), let email = account.email else { throw AccountRefusal.signedOut }
        return ProfileBody(
            id: account.userID, email: email, name: account.name, locale: account.locale, roles: try users.roles(of: user, session),
            createdAt: account.createdAt)
    }
}
