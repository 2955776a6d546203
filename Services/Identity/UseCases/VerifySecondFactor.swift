import Contracts
import Crypto
package import FoundationEssentials
import Postgres

/// What was verified beside the password; as `amr` names it.
package enum SecondFactor: String, Sendable, CaseIterable {
    case otp
    case recoveryCode = "recovery_code"
}

/// Verifies a second factor, for every door: it counts the attempts, and a code is good once, whatever the door (ID-15).
package struct VerifySecondFactor: Sendable {
    private let pool: PostgresPool
    private let secrets: SecretBox
    private let attempts: AttemptCounter
    private let messages: RequestMessage
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let holders = CredentialStore()
    private let store = SecondFactorStore()
    private let failures = SignInFailureStore()

    init(
        pool: PostgresPool, secrets: SecretBox, attempts: AttemptCounter, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.secrets = secrets
        self.attempts = attempts
        self.messages = messages
        self.now = now
    }

    /// Uses up a code of the authenticator app, or a recovery code, whichever it is shaped like.
    ///
    /// - Throws: ``CredentialRefusal``, the same for a code that is wrong and for one that has been used; `PostgresError`.
    package func callAsFunction(
        _ code: String, of user: UUID, from origin: AttemptOrigin, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> SecondFactor {
        // As apps show it, in two groups.
        let code = code.filter { $0 != " " }
        let holder = try await pool.withSession(within: WaitLimit(until: deadline)) { session in
            try holders.holder(session, user, device: origin.deviceHash)
        }
        guard let holder else { throw CredentialRefusal.wrong }
        let recoveryCode = TOTP.isCode(code) ? nil : RecoveryCode(code)
        let attempt = try await attempts.begin(
            recoveryCode == nil ? .otp : .recoveryCode, on: .user(user), from: origin, isKnownDevice: holder.isKnownDevice, until: deadline)
        let now = now()
        let isRight = try await pool.withTransaction(within: WaitLimit(until: deadline)) { session in
            let isRight =
                if let recoveryCode {
                    // They stand in for a confirmed TOTP, and go with it.
                    try holder.hasSecondFactor && store.use(session, recoveryCode: Self.hash(recoveryCode), of: user, at: now)
                } else {
                    try useTOTP(session, code, of: user, at: now)
                }
            if !isRight {
                try failures.append(session, recoveryCode == nil ? .otp : .recoveryCode, of: user, isLast: attempt.isLast, at: now)
            } else if recoveryCode != nil {
                try tellOwner(session, user, from: origin, at: now)
            }
            return isRight
        }
        guard isRight else { throw CredentialRefusal.wrong }
        try await attempts.succeed(attempt)
        guard holder.isActive else { throw CredentialRefusal.disabled }
        return recoveryCode == nil ? .otp : .recoveryCode
    }

    /// A recovery code is rarely used, so its owner should know.
    private func tellOwner(_ session: PostgresSession, _ user: UUID, from origin: AttemptOrigin, at now: Timestamp) throws {
        guard let account = try users.find(user, session), let email = account.email else { return }
        let details = MessageDetails(place: origin.network, at: now, change: .recoveryCodeUsed)
        try messages.append(
            RequestedMessage(
                .mfaChanged, user: user, locale: account.locale, content: MessageContent(address: email, name: account.name, details: details)),
            at: now, traceparent: nil, session)
    }

    private func useTOTP(_ session: PostgresSession, _ code: String, of user: UUID, at now: Timestamp) throws -> Bool {
        guard let stored = try store.totp(session, of: user, isConfirmed: true) else { return false }
        let totp = TOTP(secret: try secrets.open(stored.sealedSecret, for: StoredTOTP.context(stored.id)))
        guard let step = totp.step(of: code, at: now) else { return false }
        return try store.use(session, step: step, of: stored.id)
    }

    /// Enough for 80 random bits.
    static func hash(_ code: RecoveryCode) -> [UInt8] { Array(SHA256.hash(data: Data(code.characters.utf8))) }
}
