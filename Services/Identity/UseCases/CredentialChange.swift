import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// The transaction in which somebody who is signed in changes what they sign in with.
///
/// Their credential generation rises in it, so that nothing that began before goes on; their other sessions end, and a mail tells them.
/// The user's row is locked first, as by everything that issues for them.
struct CredentialChange: Sendable {
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

    /// Who changes something, locked.
    struct Party {
        let user: UserAccount
        let session: LiveSession
        let now: Timestamp
    }

    /// What was done, and what is said of it.
    struct Done<Value: Sendable>: Sendable {
        let value: Value
        /// The user's, raised; nil where nothing else changes with it.
        let generation: Int64?
        let purpose: MessagePurpose
        let change: MessageDetails.FactorChange?
    }

    /// - Throws: ``AccountRefusal`` `signedOut` when the session has ended or has other credentials; `PostgresError`; what `body` throws.
    func callAsFunction<Value: Sendable>(
        _ asking: SignedInUser, _ facts: RequestFacts, _ body: @Sendable (Party, PostgresSession) throws -> Done<Value>
    ) async throws -> Value {
        let now = now()
        return try await pool.withTransaction(within: WaitLimit(until: facts.deadline)) { session in
            guard let user = try users.lock(asking.user, session), let email = user.email,
                let live = try sessions.find(asking.session, of: asking.user, at: now, session)
            else { throw AccountRefusal.signedOut }
            let done = try body(Party(user: user, session: live, now: now), session)
            if let generation = done.generation {
                try sessions.endAll(
                    of: user.id, except: live.id, reason: .credentialsChanged, at: now, traceparent: facts.traceparent, session)
                try sessions.keep(live.id, of: user.id, generation: generation, session)
            }
            let details = MessageDetails(place: facts.origin.network, at: now, change: done.change)
            try messages.append(
                RequestedMessage(
                    done.purpose, user: user.id, locale: user.locale,
                    content: MessageContent(address: email, name: user.name, details: details)),
                at: now, traceparent: facts.traceparent, session)
            return done.value
        }
    }
}

/// Says in an event that a user's second factors are others now.
enum FactorEvents {
    /// - Throws: `PostgresError`.
    static func append(_ kind: MFAChangeKind, _ party: CredentialChange.Party, _ facts: RequestFacts, _ session: PostgresSession) throws {
        var random = SystemRandomNumberGenerator()
        let event = MFAChangedEvent(userID: party.user.userID, kind: kind, changedAt: party.now)
        let id = EventID.new(milliseconds: party.now.millisecondsSinceUnixEpoch, using: &random)
        try OutboxWriter.append([OutboxEvent(event, id: id, at: party.now, traceparent: facts.traceparent)], session)
    }
}
