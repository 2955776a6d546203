import Contracts
import FoundationEssentials
import Postgres

/// Makes a TOTP secret for a user, who then confirms it by a code; until then it counts for nothing.
package struct EnrolTOTP: Sendable {
    private let pool: PostgresPool
    private let secrets: SecretBox
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let sessions = SessionStore()
    private let store = SecondFactorStore()

    init(pool: PostgresPool, secrets: SecretBox, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.secrets = secrets
        self.now = now
    }

    /// - Throws: `RequiredAuthentication` unless the sign-in is fresh, with the factor that there is; ``AccountRefusal`` `signedOut`;
    ///   `PostgresError`.
    package func callAsFunction(_ asking: SignedInUser, _ facts: RequestFacts) async throws -> TOTPEnrolment {
        let now = now()
        var random = SystemRandomNumberGenerator()
        let id = UUID.v7(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
        let secret = (0..<TOTP.secretBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        let sealed = try secrets.seal(secret, for: StoredTOTP.context(id))
        let account = try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            guard let user = try users.lock(asking.user, session), let email = user.email,
                let live = try sessions.find(asking.session, of: asking.user, at: now, session)
            else { throw AccountRefusal.signedOut }
            try live.requireFreshSignIn(at: now)
            try store.begin(session, id, sealedSecret: sealed, of: user.id, at: now)
            return email
        }
        return TOTPEnrolment(secret: secret, account: account, expiresAt: now + .seconds(TOTPEnrolment.lifetimeSeconds))
    }
}
