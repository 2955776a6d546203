import Contracts
import Postgres

/// Deletes an account for its owner: sessions end, all that is known of the person is erased, and the ids stay.
package struct DeleteAccount: Sendable {
    private let pool: PostgresPool
    private let messages: RequestMessage
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let sessions = SessionStore()

    init(pool: PostgresPool, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.messages = messages
        self.now = now
    }

    /// - Throws: ``AccountRefusal`` `signedOut`; `PostgresError`.
    package func callAsFunction(_ asking: SignedInUser, _ facts: RequestFacts) async throws {
        let now = now()
        try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            guard let account = try users.lock(asking.user, session), let email = account.email else { throw AccountRefusal.signedOut }
            try asking.check(at: now, session)
            // The last message goes to the address that is erased below.
            let message = RequestedMessage(
                .accountDeleted, user: account.id, locale: account.locale,
                content: MessageContent(address: email, name: account.name, details: MessageDetails(at: now)))
            try messages.append(message, at: now, traceparent: facts.traceparent, session)
            try sessions.endAll(of: account.id, except: nil, reason: .userDeleted, at: now, traceparent: facts.traceparent, session)
            try users.erase(account.id, at: now, session)
        }
    }
}
