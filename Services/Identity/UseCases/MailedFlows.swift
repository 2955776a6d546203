import Contracts
import FoundationEssentials
import Postgres

/// A registration or recovery as a page shows it.
package struct MailedFlow: Sendable {
    let id: UUID
    let state: MailedCodeState
    /// As it was typed.
    let email: String
}

/// What a person does about a mailed code besides entering it: look where they stand, and have it sent again.
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
            let owner = try users.find(emailKey: row.emailKey, session)
            let isAllowed = try budgets.take(address: row.emailKey, network: facts.origin.network, at: now, session)
            let isMeant = kind == .registration ? owner == nil : owner?.status == .active && owner?.id == row.user
            let code = try code(of: row)
            if isAllowed, isMeant, row.sealedCode == nil {
                try codes.setCode(row.id, try box.seal(Array(code.text.utf8), for: row.secretContext), session)
            }
            let message =
                kind == .registration
                ? RegisterUser.message(to: row.email, owner: owner, locale: row.locale, code: code, until: row.expiresAt)
                : BeginRecovery.message(to: row.email, user: isMeant ? owner : nil, code: code, until: row.expiresAt)
            try messages.append(
                message, ifWanted: isAllowed && (isMeant || kind == .registration), at: now, traceparent: facts.traceparent, session)
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
}
