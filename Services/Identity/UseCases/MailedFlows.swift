package import Contracts
import FoundationEssentials
import Postgres

/// What was begun with a mailed code: the handle by which it goes on, and until when.
package struct BegunFlow: Sendable {
    package let handle: BrowserSecret
    package let expiresAt: Timestamp
}

/// A registration or recovery as a page shows it.
package struct MailedFlow: Sendable {
    let id: UUID
    let state: MailedCodeState
    /// As it was typed.
    let email: String
}

/// Registrations and recoveries until their code is entered: begins them, shows where they stand, and sends the code again.
///
/// Nothing tells whether an address has an account: each request does the same work and gets the same answer.
package struct MailedFlows: Sendable {
    private let pool: PostgresPool
    private let box: SecretBox
    private let messages: RequestMessage
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let codes = MailedCodeStore()
    private let budgets = MailBudgetStore()

    init(pool: PostgresPool, box: SecretBox, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.box = box
        self.messages = messages
        self.now = now
    }

    // MARK: begin

    /// What a registration brings along; it becomes valid with the code.
    struct Candidate: Sendable {
        let passwordPHC: String
        let name: String?
        let locale: String
    }

    /// - Throws: `PostgresError`.
    func beginRegistration(of candidate: Candidate, at email: EmailAddress, _ facts: RequestFacts) async throws -> BegunFlow {
        try await begin(.registration, candidate, at: email, facts)
    }

    /// - Throws: ``AccountRefusal`` `addressInvalid`; `PostgresError`.
    package func beginRecovery(_ request: RecoveryRequest, _ facts: RequestFacts) async throws -> BegunFlow {
        guard let email = EmailAddress(request.email) else { throw AccountRefusal.addressInvalid }
        return try await begin(.recovery, nil, at: email, facts)
    }

    private func begin(
        _ kind: MailedCodeKind, _ candidate: Candidate?, at email: EmailAddress, _ facts: RequestFacts
    ) async throws -> BegunFlow {
        let now = now()
        let begun = BegunFlow(handle: .random(), expiresAt: now + .seconds(MailedCode.lifetimeSeconds))
        try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            let owner = try users.find(emailKey: email.key, session)
            let isAllowed = try budgets.take(address: email.key, network: facts.origin.network, at: now, session)
            let locale = candidate?.locale ?? owner?.locale ?? UserAccount.defaultLocale
            var random = SystemRandomNumberGenerator()
            let (id, code) = (UUID.v7(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), MailedCode.random(using: &random))
            let sealed = try box.seal(Array(code.text.utf8), for: MailedCodeRow.secretContext(id))
            let mail = Mail(kind, to: email.typed, owner: owner, locale: locale, code: code, until: begun.expiresAt)
            let user = kind == .recovery && mail.hasCode ? owner : nil
            let row = MailedCodeRow(
                id: id, kind: kind, state: .code, email: email.typed, emailKey: email.key, user: user?.id, generation: user?.generation,
                passwordPHC: candidate?.passwordPHC, name: candidate?.name, locale: locale, sealedCode: isAllowed && mail.hasCode ? sealed : nil,
                wrongCodes: 0, expiresAt: begun.expiresAt)
            try codes.insert(row, owner: begun.handle.hash, at: now, session)
            try messages.append(mail.message, ifWanted: isAllowed && mail.isWanted, at: now, traceparent: facts.traceparent, session)
        }
        return begun
    }

    // MARK: go on

    /// - Returns: nil for a flow that there is not, or whose time is over.
    /// - Throws: `PostgresError`.
    package func find(_ kind: MailedCodeKind, handle: BrowserSecret, _ facts: RequestFacts) async throws -> MailedFlow? {
        let now = now()
        return try await pool.withSession(within: WaitLimit(until: facts.deadline)) { session in
            guard let row = try codes.find(kind, owner: handle.hash, session), now < row.expiresAt else { return nil }
            return MailedFlow(id: row.id, state: row.state, email: row.email)
        }
    }

    /// Sends the code again: the same one, as long as it lives (ID-13). One that could not be sent at first is drawn now. Beyond the budget,
    /// and where there is nobody to send it to, nothing is sent, and nothing tells.
    ///
    /// - Throws: `PostgresError`.
    package func resend(_ kind: MailedCodeKind, handle: BrowserSecret, _ facts: RequestFacts) async throws {
        let now = now()
        try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            guard let row = try codes.lock(kind, owner: handle.hash, session), row.state == .code, now < row.expiresAt else { return }
            var owner = try users.find(emailKey: row.emailKey, session)
            // Whoever has the address by now has not asked for this recovery.
            if kind == .recovery, owner?.id != row.user { owner = nil }
            let isAllowed = try budgets.take(address: row.emailKey, network: facts.origin.network, at: now, session)
            let code = try code(of: row)
            let mail = Mail(kind, to: row.email, owner: owner, locale: row.locale, code: code, until: row.expiresAt)
            if isAllowed, mail.hasCode, row.sealedCode == nil {
                try codes.setCode(row.id, try box.seal(Array(code.text.utf8), for: row.secretContext), session)
            }
            try messages.append(mail.message, ifWanted: isAllowed && mail.isWanted, at: now, traceparent: facts.traceparent, session)
        }
    }

    private func code(of row: MailedCodeRow) throws -> MailedCode {
        if let sealed = row.sealedCode {
            let text = String(decoding: try box.open(sealed, for: row.secretContext), as: UTF8.self)
            guard let code = MailedCode(text) else { throw UnreadableRow(table: "mailed_codes") }
            return code
        }
        var random = SystemRandomNumberGenerator()
        return MailedCode.random(using: &random)
    }

    /// What the address of a flow gets. No mail has a name in it: that of a registration is whatever a stranger wrote.
    private struct Mail {
        let message: RequestedMessage
        /// Whether the code is in it: otherwise none that is entered is right.
        let hasCode: Bool
        /// Whether there is anybody to send it to.
        let isWanted: Bool

        init(_ kind: MailedCodeKind, to address: String, owner: UserAccount?, locale: String, code: MailedCode, until end: Timestamp) {
            switch kind {
            case .registration:
                (hasCode, isWanted) = (owner == nil, true)
                if let owner {
                    message = RequestedMessage(
                        .addressTaken, user: owner.id, locale: owner.locale, content: MessageContent(address: owner.email ?? address))
                    return
                }
                message = RequestedMessage(
                    .registrationCode, user: nil, locale: locale, expiresAt: end, content: MessageContent(address: address, code: code.text))
            case .recovery:
                let isActive = owner?.status == .active
                (hasCode, isWanted) = (isActive, isActive)
                message = RequestedMessage(
                    .recoveryCodeMail, user: owner?.id, locale: owner?.locale ?? locale, expiresAt: end,
                    content: MessageContent(address: owner?.email ?? address, code: code.text))
            }
        }
    }
}
