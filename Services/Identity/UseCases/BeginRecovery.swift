package import Contracts
import FoundationEssentials
import Postgres

/// Begins the recovery of an account whose password is lost: mails a code to its address.
///
/// Nothing tells whether there is one: each request does the same work and gets the same answer.
package struct BeginRecovery: Sendable {
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

    /// - Throws: ``AccountRefusal`` `addressInvalid`; `PostgresError`.
    package func callAsFunction(_ request: RecoveryRequest, _ facts: RequestFacts) async throws -> BegunFlow {
        guard let email = EmailAddress(request.email) else { throw AccountRefusal.addressInvalid }
        let now = now()
        let begun = BegunFlow(handle: .random(), expiresAt: now + .seconds(MailedCode.lifetimeSeconds))
        try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            let found = try users.find(emailKey: email.key, session)
            let user = found?.status == .active ? found : nil
            let isSent = try budgets.take(address: email.key, network: facts.origin.network, at: now, session) && user != nil
            let draft = try MailedCodeDraft(box: box, at: now)
            let locale = user?.locale ?? RegisterUser.defaultLocale
            try codes.insert(
                draft.row(.recovery, of: email, isSent: isSent, user: user, locale: locale, until: begun.expiresAt),
                owner: begun.handle.hash, at: now, session)
            let message = Self.message(to: email.typed, user: user, code: draft.code, until: begun.expiresAt)
            try messages.append(message, ifWanted: isSent, at: now, traceparent: facts.traceparent, session)
        }
        return begun
    }

    static func message(to email: String, user: UserAccount?, code: MailedCode, until end: Timestamp) -> RequestedMessage {
        RequestedMessage(
            .recoveryCodeMail, user: user?.id, locale: user?.locale ?? RegisterUser.defaultLocale, expiresAt: end,
            content: MessageContent(address: user?.email ?? email, code: code.text))
    }
}
