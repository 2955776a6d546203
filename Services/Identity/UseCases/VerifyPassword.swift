import Contracts
package import FoundationEssentials
package import Postgres

/// Whose password was right, and what else they need.
package struct VerifiedPassword: Sendable, Hashable {
    package let user: UUID
    /// The credential generation that it was verified for.
    package let generation: Int64
    /// Whether a second factor is needed beside it.
    package let secondFactor: Bool
    /// Whether it is good only beside one.
    package let isShort: Bool
}

/// Verifies a password, for every door: it counts the attempts, takes as long for an account that does not exist, and hashes anew when the
/// cost has changed.
package struct VerifyPassword: Sendable {
    private let pool: PostgresPool
    private let hasher: PasswordHasher
    private let attempts: AttemptCounter
    private let store = CredentialStore()
    private let failures = SignInFailureStore()

    package init(pool: PostgresPool, hasher: PasswordHasher, attempts: AttemptCounter) {
        self.pool = pool
        self.hasher = hasher
        self.attempts = attempts
    }

    /// Of whoever has an address.
    ///
    /// - Throws: ``CredentialRefusal``; `PostgresError`.
    package func callAsFunction(
        _ password: String, for email: EmailAddress, from origin: AttemptOrigin, until deadline: ContinuousClock.Instant?
    ) async throws -> VerifiedPassword {
        let holder = try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            try store.holder(session, of: email, device: origin.deviceHash)
        }
        return try await verify(password, of: holder, email, origin, deadline)
    }

    /// Of a user who is signed in.
    ///
    /// - Throws: ``CredentialRefusal``; `PostgresError`.
    package func callAsFunction(
        _ password: String, of user: UUID, from origin: AttemptOrigin, until deadline: ContinuousClock.Instant?
    ) async throws -> VerifiedPassword {
        let holder = try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            try store.holder(session, user, device: origin.deviceHash)
        }
        guard let holder else { throw CredentialRefusal.wrong }
        return try await verify(password, of: holder, holder.email, origin, deadline)
    }

    private func verify(
        _ typed: String, of holder: CredentialHolder?, _ email: EmailAddress, _ origin: AttemptOrigin, _ deadline: ContinuousClock.Instant?
    ) async throws -> VerifiedPassword {
        // What nobody can have set is no guess, and the same for everybody.
        guard let password = try? PreparedPassword(typed) else { throw CredentialRefusal.wrong }
        let attempt = try await attempts.begin(
            .password, on: .address(email), from: origin, isKnownDevice: holder?.isKnownDevice ?? false, until: deadline)
        let isRight: Bool
        do {
            isRight = try await hasher.verify(password, against: holder?.password?.hash, until: deadline)
        } catch {
            try await attempts.withdraw(attempt)
            throw error
        }
        guard isRight, let holder, let stored = holder.password else {
            try await pool.withTransaction(within: WaitLimit(until: deadline)) { session in
                try failures.append(session, .password, of: holder?.id, isLast: attempt.isLast, at: attempt.madeAt)
            }
            throw CredentialRefusal.wrong
        }
        try await attempts.succeed(attempt)
        guard holder.isActive else { throw CredentialRefusal.disabled }
        if stored.hash.cost != hasher.cost { try await rehash(password, stored.hash, of: holder.id, deadline) }
        return VerifiedPassword(
            user: holder.id, generation: holder.generation, secondFactor: holder.hasSecondFactor, isShort: stored.isShort)
    }

    /// Whoever comes when all threads are taken is hashed anew the next time.
    private func rehash(
        _ password: PreparedPassword, _ old: PasswordHash, of user: UUID, _ deadline: ContinuousClock.Instant?
    ) async throws {
        guard let new = try? await hasher.hash(password, until: deadline) else { return }
        try await pool.withSession(within: WaitLimit(until: deadline)) { session in try store.rehash(session, user, from: old, to: new) }
    }
}
