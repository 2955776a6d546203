import Contracts
import FoundationEssentials
import Postgres

/// Makes the TOTP secret that a user enrolled their second factor, by a code of it, and gives them recovery codes.
package struct ConfirmTOTP: Sendable {
    private let pool: PostgresPool
    private let secrets: SecretBox
    private let attempts: AttemptCounter
    private let change: CredentialChange
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let sessions = SessionStore()
    private let store = SecondFactorStore()
    private let devices = CredentialStore()

    init(
        pool: PostgresPool, secrets: SecretBox, attempts: AttemptCounter, change: CredentialChange, now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.secrets = secrets
        self.attempts = attempts
        self.change = change
        self.now = now
    }

    /// - Returns: recovery codes, which are shown this once.
    /// - Throws: ``CredentialRefusal``; ``FactorRefusal`` `notEnrolled`; ``AccountRefusal`` `signedOut`; `PostgresError`.
    package func callAsFunction(_ code: String, _ asking: SignedInUser, _ facts: RequestFacts) async throws -> [RecoveryCode] {
        let now = now()
        let device = try await pool.withSession(within: WaitLimit(until: facts.deadline)) { session in
            guard let live = try sessions.find(asking.session, of: asking.user, at: now, session) else { throw AccountRefusal.signedOut }
            _ = try pending(session, of: asking.user, at: now)
            return try devices.deviceHash(session, of: live.device)
        }
        // Counted together with the codes of sign-in.
        let origin = AttemptOrigin(deviceHash: device, network: facts.origin.network)
        let attempt = try await attempts.begin(
            .otp, on: .user(asking.user), from: origin, isKnownDevice: device != nil, until: facts.deadline)
        // As apps show it, in two groups.
        let (entered, codes) = (code.filter { $0 != " " }, RecoveryCode.set())
        try await change(asking, facts) { party, session in
            let pending = try pending(session, of: asking.user, at: party.now)
            let totp = TOTP(secret: try secrets.open(pending.sealedSecret, for: StoredTOTP.context(pending.id)))
            // The code is used up: it does not sign in as well (ID-15).
            guard let step = totp.step(of: entered, at: party.now), try store.use(session, step: step, of: pending.id) else {
                throw CredentialRefusal.wrong
            }
            try store.confirm(session, pending.id, of: asking.user, at: party.now)
            try store.replace(session, recoveryCodes: codes.map(VerifySecondFactor.hash), of: asking.user, at: party.now)
            try FactorEvents.append(.totpEnrolled, party, facts, session)
            let generation = try users.raiseGeneration(of: asking.user, at: party.now, session)
            return CredentialChange.Done(value: (), generation: generation, purpose: .mfaChanged, change: .totpAdded)
        }
        // The codes are shown this once, whatever becomes of the count.
        try? await attempts.succeed(attempt)
        return codes
    }

    private func pending(_ session: PostgresSession, of user: UUID, at now: Timestamp) throws -> StoredTOTP {
        guard let pending = try store.totp(session, of: user, isConfirmed: false),
            now.since(pending.createdAt) < .seconds(TOTPEnrolment.lifetimeSeconds)
        else { throw FactorRefusal.notEnrolled }
        return pending
    }
}
