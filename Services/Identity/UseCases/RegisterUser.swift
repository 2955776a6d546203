package import Contracts
import FoundationEssentials
import Postgres

/// What was begun with a mailed code: the handle by which it goes on, and until when.
package struct BegunFlow: Sendable {
    package let handle: BrowserSecret
    package let expiresAt: Timestamp
}

/// What a use case needs to know of the request that it serves.
package struct RequestFacts: Sendable {
    package let origin: AttemptOrigin
    package let traceparent: String?
    package let deadline: ContinuousClock.Instant?

    package init(origin: AttemptOrigin, traceparent: String? = nil, deadline: ContinuousClock.Instant? = nil) {
        self.origin = origin
        self.traceparent = traceparent
        self.deadline = deadline
    }
}

/// Begins a registration: mails a code to the address, or, where it has an account, a notice to its owner.
///
/// Nothing tells which (ID-08): each request hashes its password and writes the same rows. No user is made; that takes the code
/// (``VerifyEmail``).
package struct RegisterUser: Sendable {
    private let pool: PostgresPool
    private let hasher: PasswordHasher
    private let blocklist: PasswordBlocklist
    private let box: SecretBox
    private let messages: RequestMessage
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let codes = MailedCodeStore()
    private let budgets = MailBudgetStore()

    package static let defaultLocale = "en"

    init(
        pool: PostgresPool, hasher: PasswordHasher, blocklist: PasswordBlocklist, box: SecretBox, messages: RequestMessage,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.pool = pool
        self.hasher = hasher
        self.blocklist = blocklist
        self.box = box
        self.messages = messages
        self.now = now
    }

    /// - Throws: ``AccountRefusal`` `addressInvalid`; ``PasswordFault``; ``CredentialRefusal`` `overloaded`; `PostgresError`.
    package func callAsFunction(_ request: RegisterUserRequest, _ facts: RequestFacts) async throws -> BegunFlow {
        guard let email = EmailAddress(request.email) else { throw AccountRefusal.addressInvalid }
        let password = try NewPassword.prepare(request.password, email: email, hasSecondFactor: false, blocklist: blocklist)
        let hash = try await hasher.hash(password, until: facts.deadline)
        let now = now()
        let begun = BegunFlow(handle: .random(), expiresAt: now + .seconds(MailedCode.lifetimeSeconds))
        try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            let owner = try users.find(emailKey: email.key, session)
            let isAllowed = try budgets.take(address: email.key, network: facts.origin.network, at: now, session)
            let draft = try MailedCodeDraft(box: box, at: now)
            try codes.insert(
                draft.row(
                    .registration, of: email, isSent: isAllowed && owner == nil, passwordPHC: hash.phc, name: request.name,
                    locale: request.locale ?? Self.defaultLocale, until: begun.expiresAt),
                owner: begun.handle.hash, at: now, session)
            let message = Self.message(
                to: email.typed, owner: owner, locale: request.locale ?? Self.defaultLocale, code: draft.code, until: begun.expiresAt)
            try messages.append(message, ifWanted: isAllowed, at: now, traceparent: facts.traceparent, session)
        }
        return begun
    }

    /// Neither has a name in it: that of a registration is whatever a stranger wrote.
    static func message(to email: String, owner: UserAccount?, locale: String, code: MailedCode, until end: Timestamp) -> RequestedMessage {
        guard let owner else {
            return RequestedMessage(
                .registrationCode, user: nil, locale: locale, expiresAt: end, content: MessageContent(address: email, code: code.text))
        }
        return RequestedMessage(
            .addressTaken, user: owner.id, locale: owner.locale, content: MessageContent(address: owner.email ?? email))
    }
}

/// A code that was drawn, sealed for the row that it gets.
struct MailedCodeDraft {
    let id: UUID
    let code: MailedCode
    private let sealed: [UInt8]

    init(box: SecretBox, at now: Timestamp) throws {
        var random = SystemRandomNumberGenerator()
        id = UUID.v7(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
        code = MailedCode.random(using: &random)
        sealed = try box.seal(Array(code.text.utf8), for: MailedCodeRow.secretContext(id))
    }

    func row(
        _ kind: MailedCodeKind, of email: EmailAddress, isSent: Bool, user: UserAccount? = nil, passwordPHC: String? = nil,
        name: String? = nil, locale: String, until end: Timestamp
    ) -> MailedCodeRow {
        MailedCodeRow(
            id: id, kind: kind, state: .code, email: email.typed, emailKey: email.key, user: user?.id, generation: user?.generation,
            passwordPHC: passwordPHC, name: name, locale: locale, sealedCode: isSent ? sealed : nil, wrongCodes: 0, expiresAt: end)
    }
}
