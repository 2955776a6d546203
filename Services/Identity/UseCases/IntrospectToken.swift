import AccessTokens
import Contracts
import FoundationEssentials
import Postgres

/// Tells a client whether a token is good (RFC 7662): one that it was issued itself, or one of the audience that it serves. Of every other,
/// as of what is expired, revoked, unknown or no token, it learns that it is not active.
struct IntrospectToken: Sendable {
    let pool: PostgresPool
    let gate: TokenGate
    let verifiers: AudienceVerifiers
    let issuer: String
    let now: @Sendable () -> Timestamp

    /// - Throws: `PostgresError`; ``TokenRejection`` `keysUnavailable`, when nothing can be said.
    func callAsFunction(
        _ text: String, by client: OAuthClient, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> IntrospectionBody {
        let limit = WaitLimit(until: deadline)
        if let token = RefreshToken(text) { return try await refreshToken(token, client, limit) }
        guard let (token, audience) = try await visible(text, to: client), try await isAlive(token, limit) else { return .inactive }
        return IntrospectionBody(
            token: IntrospectionBody.Token(
                clientID: token.clientID, subject: token.principal.subject, scope: token.scopes.sorted().joined(separator: " "),
                issuer: token.issuer, audience: audience, issuedAt: token.issuedAt, expiresAt: token.expiresAt,
                tokenID: token.tokenID, sessionID: token.sessionID, authenticationContext: token.authenticationContext,
                authenticatedAt: token.authenticatedAt))
    }

    /// The access token and the audience by which it is seen, if it is one and the client may see it.
    private func visible(_ text: String, to client: OAuthClient) async throws -> (AccessToken, String)? {
        if let audience = client.introspects, let token = try await verified(text, audience) { return (token, audience) }
        guard let own = try await verified(text, client.audience), own.clientID == client.id else { return nil }
        return (own, client.audience)
    }

    private func verified(_ text: String, _ audience: String) async throws -> AccessToken? {
        do throws(TokenRejection) {
            // Without the leeway that a verifier gives: this is the issuer's own clock.
            let token = try await verifiers.verify(text, audience: audience, now: now().seconds)
            return now().seconds < token.expiresAt ? token : nil
        } catch {
            guard error != .keysUnavailable else { throw error }
            return nil
        }
    }

    private func isAlive(_ token: AccessToken, _ limit: WaitLimit) async throws -> Bool {
        switch token.principal {
        case .client(let id):
            return try await pool.withSession(within: limit) { session in
                try ClientStore().find(session, id).map { $0.disabledAt == nil } ?? false
            }
        case .user(let subject):
            guard let user = UserID(subject), let id = token.sessionID.flatMap(SessionID.init(_:)) else { return false }
            return try await pool.withSession(within: limit) { session in
                try gate.isAlive(session, user: user.uuid, session: id.uuid, client: token.clientID)
            }
        }
    }

    private func refreshToken(_ token: RefreshToken, _ client: OAuthClient, _ limit: WaitLimit) async throws -> IntrospectionBody {
        let now = now()
        let found = try await pool.withSession(within: limit) { session -> RefreshFamily? in
            guard let family = try RefreshFamilyStore().find(session, token.family) else { return nil }
            let authentication = family.grant.authentication
            return try gate.isAlive(session, user: authentication.user, session: family.grant.session, client: client.id) ? family : nil
        }
        guard let family = found, family.decide(client: client.id, number: token.number, secretHash: token.secret.hash, at: now) == .rotate else {
            return .inactive
        }
        return IntrospectionBody(
            token: IntrospectionBody.Token(
                clientID: family.grant.clientID, subject: UserID(family.grant.authentication.user).description,
                scope: family.grant.scopes.joined(separator: " "), issuer: issuer, expiresAt: family.expiresAt.seconds,
                sessionID: SessionID(family.grant.session).description, authenticationContext: family.grant.authentication.acr,
                authenticatedAt: family.grant.authentication.authenticatedAt.seconds))
    }
}

extension Principal {
    /// The `sub`.
    fileprivate var subject: String {
        switch self {
        case .user(let subject): subject
        case .client(let id): id
        }
    }
}
