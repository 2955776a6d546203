package import Contracts
import FoundationEssentials
import Outbox
import Postgres

/// Ends a registration by the mailed code: the user is made, with password, role and event, in one transaction.
///
/// Whoever proves the address first has it. What others began for it, passwords included, is gone (ID-08). The same code entered again in
/// the same flow gets the same answer.
package struct VerifyEmail: Sendable {
    /// Whom a role is recorded as granted by when nobody granted it.
    private static let registration = "registration"

    private let verify: VerifyMailedCode
    private let now: @Sendable () -> Timestamp
    private let users = UserStore()
    private let codes = MailedCodeStore()

    init(verify: VerifyMailedCode, now: @escaping @Sendable () -> Timestamp) {
        self.verify = verify
        self.now = now
    }

    /// - Throws: ``AccountRefusal`` `codeInvalid`; ``CredentialRefusal`` `blocked`; `PostgresError`.
    package func callAsFunction(_ request: VerifyEmailRequest, _ facts: RequestFacts) async throws -> UserID {
        let now = now()
        return try await verify(request.code, .registration, handle: request.flow, facts) { row, session in
            if row.state == .finished, let user = row.user { return .done(UserID(user)) }
            guard row.state == .code, let phc = row.passwordPHC else { return .refused }
            var random = SystemRandomNumberGenerator()
            let id = UUID.v7(milliseconds: now.millisecondsSinceUnixEpoch, using: &random)
            guard
                try users.insert(
                    id, email: row.email, emailKey: row.emailKey, name: row.name, locale: row.locale, at: now, session)
            else { return .refused }
            _ = try codes.finish(row.id, from: .code, user: id, session)
            try users.insertPassword(phc, of: id, at: now, session)
            _ = try users.grant(.customer, to: id, by: Self.registration, at: now, session)
            try codes.deleteOthers(than: row.id, emailKey: row.emailKey, session)
            let event = OutboxEvent(
                UserRegisteredEvent(userID: UserID(id), registeredAt: now),
                id: .new(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), at: now, traceparent: facts.traceparent)
            try OutboxWriter.append([event], session)
            return .done(UserID(id))
        }
    }
}
