package import Contracts
import FoundationEssentials
import Postgres

/// Sets a new password in the place of the current one, which it takes; ends all other sessions.
package struct ChangePassword: Sendable {
    private let pool: PostgresPool
    private let verify: VerifyPassword
    private let hasher: PasswordHasher
    private let blocklist: PasswordBlocklist
    private let change: CredentialChange
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let sessions = SessionStore()
    private let devices = CredentialStore()

    init(
        pool: PostgresPool, verify: VerifyPassword, hasher: PasswordHasher, blocklist: PasswordBlocklist, change: CredentialChange,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.verify = verify
        self.hasher = hasher
        self.blocklist = blocklist
        self.change = change
        self.now = now
    }

    /// - Throws: ``PasswordFault`` of the new one; ``CredentialRefusal`` of the current one; `RequiredAuthentication`; ``AccountRefusal``
    ///   `signedOut`; `PostgresError`.
    package func callAsFunction(_ request: ChangePasswordRequest, _ asking: SignedInUser, _ facts: RequestFacts) async throws {
        let now = now()
        let limit = WaitLimit(until: facts.deadline)
        let (user, live, device) = try await pool.withSession(within: limit) { session in
            guard let user = try users.find(asking.user, session), let live = try sessions.find(asking.session, of: asking.user, at: now, session)
            else { throw AccountRefusal.signedOut }
            return (user, live, try devices.deviceHash(session, of: live.device))
        }
        try live.requireSecondFactor()
        // What can't become the password costs no attempt.
        let password = try NewPassword.prepare(
            request.newPassword, email: user.email.flatMap { EmailAddress($0) }, hasSecondFactor: live.hasSecondFactor, blocklist: blocklist)
        let origin = AttemptOrigin(deviceHash: device, network: facts.origin.network)
        let verified = try await verify(request.currentPassword, of: asking.user, from: origin, until: facts.deadline)
        let hash = try await hasher.hash(password, until: facts.deadline)
        try await change(asking, facts) { party, session in
            // Whoever was first has changed what was verified here.
            guard party.user.generation == verified.generation, party.session.hasSecondFactor == live.hasSecondFactor else {
                throw AccountRefusal.signedOut
            }
            let generation = try users.setPassword(
                hash.phc, isShort: NewPassword.isShort(password), of: asking.user, at: party.now, session)
            return CredentialChange.Done(value: (), generation: generation, purpose: .passwordChanged, change: nil)
        }
    }
}
