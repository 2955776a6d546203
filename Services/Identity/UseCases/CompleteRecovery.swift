package import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// Ends a recovery: the mailed code, the second factor where there is one (ID-14), then the new password.
///
/// Each step is a state of the flow's row, which is left only by what it asks for (ID-01). The result is no session: whoever recovered their
/// account signs in, with their second factor.
package struct CompleteRecovery: Sendable {
    private let pool: PostgresPool
    private let verifyCode: VerifyMailedCode
    private let verifySecondFactor: VerifySecondFactor
    private let hasher: PasswordHasher
    private let blocklist: PasswordBlocklist
    private let messages: RequestMessage
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let codes = MailedCodeStore()
    private let sessions = SessionStore()
    private let credentials = CredentialStore()

    init(
        pool: PostgresPool, verifyCode: VerifyMailedCode, verifySecondFactor: VerifySecondFactor, hasher: PasswordHasher,
        blocklist: PasswordBlocklist, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.verifyCode = verifyCode
        self.verifySecondFactor = verifySecondFactor
        self.hasher = hasher
        self.blocklist = blocklist
        self.messages = messages
        self.now = now
    }

    /// A recovery whose mailed code was right.
    private struct Proven: Sendable {
        let row: UUID
        let state: MailedCodeState
        let user: UUID
        let generation: Int64
        let email: EmailAddress
        let hasSecondFactor: Bool
    }

    /// - Throws: ``AccountRefusal`` `codeInvalid` or `secondFactorRequired`; ``PasswordFault``; ``CredentialRefusal``; `PostgresError`.
    package func callAsFunction(_ request: CompleteRecoveryRequest, _ facts: RequestFacts) async throws {
        // What can't become anybody's password costs no attempt, and tells nothing about the account.
        _ = try NewPassword.prepare(request.newPassword, email: nil, hasSecondFactor: true, blocklist: blocklist)
        let proven = try await enterCode(request, facts)
        let password = try NewPassword.prepare(
            request.newPassword, email: proven.email, hasSecondFactor: proven.hasSecondFactor, blocklist: blocklist)
        if proven.state == .secondFactor {
            guard let code = request.secondFactor else { throw AccountRefusal.secondFactorRequired }
            _ = try await verifySecondFactor(code, of: proven.user, from: facts.origin, until: facts.deadline)
            try await move(proven, from: .secondFactor, to: .newPassword, facts)
        }
        let hash = try await hasher.hash(password, until: facts.deadline)
        try await setPassword(hash.phc, isShort: NewPassword.isShort(password), proven, facts)
    }

    /// The code is good until the recovery ends, so that a password that is refused can be replaced by a better one.
    private func enterCode(_ request: CompleteRecoveryRequest, _ facts: RequestFacts) async throws -> Proven {
        let now = now()
        return try await verifyCode(request.code, .recovery, handle: request.flow, facts) { row, session in
            guard row.state != .finished, let user = row.user, let generation = row.generation,
                let holder = try credentials.holder(session, user, device: nil), holder.isActive, holder.generation == generation
            else { return .refused }
            var state = row.state
            if state == .code {
                state = holder.hasSecondFactor ? .secondFactor : .newPassword
                guard try codes.move(row.id, from: .code, to: state, until: now + .seconds(MailedCode.lifetimeSeconds), session) else {
                    return .refused
                }
            }
            return .done(
                Proven(
                    row: row.id, state: state, user: user, generation: generation, email: holder.email,
                    hasSecondFactor: holder.hasSecondFactor))
        }
    }

    private func move(_ proven: Proven, from state: MailedCodeState, to next: MailedCodeState, _ facts: RequestFacts) async throws {
        let end = now() + .seconds(MailedCode.lifetimeSeconds)
        let isMoved = try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            try codes.move(proven.row, from: state, to: next, until: end, session)
        }
        guard isMoved else { throw AccountRefusal.codeInvalid }
    }

    private func setPassword(_ phc: String, isShort: Bool, _ proven: Proven, _ facts: RequestFacts) async throws {
        let now = now()
        let isSet = try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            // The user first, as everything locks that issues for them.
            guard let user = try users.lock(proven.user, session), user.status == .active, user.generation == proven.generation,
                try codes.finish(proven.row, from: .newPassword, user: proven.user, session)
            else { return false }
            _ = try users.setPassword(phc, isShort: isShort, of: user.id, at: now, session)
            try sessions.endAll(of: user.id, except: nil, reason: .credentialsChanged, at: now, traceparent: facts.traceparent, session)
            try codes.deleteOthers(than: proven.row, emailKey: proven.email.key, session)
            var random = SystemRandomNumberGenerator()
            let event = OutboxEvent(
                AccountRecoveredEvent(userID: user.userID, isMultiFactor: proven.hasSecondFactor, recoveredAt: now),
                id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now, traceparent: facts.traceparent)
            try OutboxWriter.append([event], session)
            let message = RequestedMessage(
                .accountRecovered, user: user.id, locale: user.locale,
                content: MessageContent(
                    address: user.email ?? proven.email.typed, name: user.name, details: MessageDetails(place: facts.origin.network, at: now)))
            try messages.append(message, at: now, traceparent: facts.traceparent, session)
            return true
        }
        guard isSet else { throw AccountRefusal.codeInvalid }
    }
}
