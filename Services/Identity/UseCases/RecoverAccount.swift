package import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// Recovers an account by steps: the mailed code, the second factor where there is one (ID-14), then the new password.
///
/// Each step is a state of the flow's row, which is left only by what it asks for (ID-01). The result is no session: whoever recovered their
/// account signs in, with their second factor.
package struct RecoverAccount: Sendable {
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
    struct Proven: Sendable {
        fileprivate let row: UUID
        fileprivate let generation: Int64
        let state: MailedCodeState
        let user: UUID
        let email: EmailAddress
        let hasSecondFactor: Bool

        /// Nil when the user is not active any more or has other credentials by now.
        fileprivate init?(_ row: MailedCodeRow, _ state: MailedCodeState, _ holder: CredentialHolder) {
            guard holder.isActive, holder.generation == row.generation else { return nil }
            self.row = row.id
            self.state = state
            generation = holder.generation
            user = holder.id
            email = holder.email
            hasSecondFactor = holder.hasSecondFactor
        }
    }

    // MARK: all steps at once

    /// - Throws: ``AccountRefusal`` `codeInvalid` or `secondFactorRequired`; ``PasswordFault``; ``CredentialRefusal``; `PostgresError`.
    package func callAsFunction(_ request: CompleteRecoveryRequest, _ facts: RequestFacts) async throws {
        // What can't become anybody's password costs no attempt, and tells nothing about the account.
        _ = try NewPassword.prepare(request.newPassword, email: nil, hasSecondFactor: true, blocklist: blocklist)
        let proven = try await enterCode(request.code, handle: request.flow, facts)
        _ = try prepare(request.newPassword, proven)
        if proven.state == .secondFactor {
            guard let code = request.secondFactor else { throw AccountRefusal.secondFactorRequired }
            try await enterSecondFactor(code, handle: request.flow, facts)
        }
        try await setPassword(request.newPassword, handle: request.flow, facts)
    }

    // MARK: step by step

    /// Verifies the mailed code. It is good until the recovery ends, so that a password that is refused can be replaced by a better one.
    ///
    /// - Throws: ``AccountRefusal`` `codeInvalid`; ``CredentialRefusal`` `blocked`; `PostgresError`.
    @discardableResult
    func enterCode(_ code: String, handle: String, _ facts: RequestFacts) async throws -> Proven {
        let end = now() + .seconds(MailedCode.lifetimeSeconds)
        return try await verifyCode(code, .recovery, handle: handle, facts) { row, session in
            guard row.state != .finished, let user = row.user, let holder = try credentials.holder(session, user, device: nil) else {
                return .refused
            }
            let next: MailedCodeState = holder.hasSecondFactor ? .secondFactor : .newPassword
            guard let proven = Proven(row, row.state == .code ? next : row.state, holder) else { return .refused }
            guard try row.state != .code || codes.move(row.id, from: .code, to: next, until: end, session) else { return .refused }
            return .done(proven)
        }
    }

    /// - Throws: ``AccountRefusal`` `codeInvalid` for a recovery that does not stand at this step; ``CredentialRefusal``; `PostgresError`.
    func enterSecondFactor(_ code: String, handle: String, _ facts: RequestFacts) async throws {
        let proven = try await proven(handle, at: .secondFactor, facts)
        _ = try await verifySecondFactor(code, of: proven.user, from: facts.origin, until: facts.deadline)
        let end = now() + .seconds(MailedCode.lifetimeSeconds)
        let isMoved = try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            try codes.move(proven.row, from: .secondFactor, to: .newPassword, until: end, session)
        }
        guard isMoved else { throw AccountRefusal.codeInvalid }
    }

    /// - Throws: ``AccountRefusal`` `codeInvalid` for a recovery that does not stand at this step; ``PasswordFault``; ``CredentialRefusal``
    ///   `overloaded`; `PostgresError`.
    func setPassword(_ text: String, handle: String, _ facts: RequestFacts) async throws {
        let proven = try await proven(handle, at: .newPassword, facts)
        let password = try prepare(text, proven)
        let hash = try await hasher.hash(password, until: facts.deadline)
        let isShort = NewPassword.isShort(password)
        let isSet = try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            try finish(proven, hash.phc, isShort: isShort, facts, session)
        }
        guard isSet else { throw AccountRefusal.codeInvalid }
    }

    /// The account of a recovery that stands at a step.
    func proven(_ handle: String, at state: MailedCodeState, _ facts: RequestFacts) async throws -> Proven {
        let now = now()
        let found = try await pool.withSession(within: WaitLimit(until: facts.deadline)) { session -> Proven? in
            guard let owner = BrowserSecret(handle)?.hash, let row = try codes.find(.recovery, owner: owner, session), row.state == state,
                now < row.expiresAt, let user = row.user, let holder = try credentials.holder(session, user, device: nil)
            else { return nil }
            return Proven(row, state, holder)
        }
        guard let found else { throw AccountRefusal.codeInvalid }
        return found
    }

    private func prepare(_ text: String, _ proven: Proven) throws(PasswordFault) -> PreparedPassword {
        try NewPassword.prepare(text, email: proven.email, hasSecondFactor: proven.hasSecondFactor, blocklist: blocklist)
    }

    private func finish(_ proven: Proven, _ phc: String, isShort: Bool, _ facts: RequestFacts, _ session: PostgresSession) throws -> Bool {
        let now = now()
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
}
