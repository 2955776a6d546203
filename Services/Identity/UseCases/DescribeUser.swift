import AccessTokens
import Contracts
import FoundationEssentials
import HTTPService
import Postgres

/// Tells a client about the person who let it know (OpenID Connect Core, section 5.3).
struct DescribeUser: Sendable {
    let pool: PostgresPool
    let gate: TokenGate

    /// - Throws: ``Problem`` `token_invalid` for a token whose user, session, credentials or client are not what they were, `insufficient_scope`;
    ///   `PostgresError`.
    func callAsFunction(_ token: AccessToken, until deadline: ContinuousClock.Instant? = nil) async throws -> UserInfoBody {
        guard token.hasScope(ScopeRules.openID) else { throw Problem(.insufficientScope) }
        guard case .user(let subject) = token.principal, let user = UserID(subject), let id = token.sessionID.flatMap(SessionID.init(_:)) else {
            throw Problem(.tokenInvalid)
        }
        let account = try await pool.withSession(within: WaitLimit(until: deadline)) { session -> UserAccount? in
            guard try gate.isAlive(session, user: user.uuid, session: id.uuid, client: token.clientID) else { return nil }
            return try UserStore().find(user.uuid, session)
        }
        guard let account, account.status == .active else { throw Problem(.tokenInvalid) }
        let tellsProfile = token.hasScope(ScopeRules.profile)
        return UserInfoBody(
            subject: subject, name: tellsProfile ? account.name : nil, locale: tellsProfile ? account.locale : nil,
            email: token.hasScope(ScopeRules.email) ? account.email : nil)
    }
}
