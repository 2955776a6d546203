package import Contracts
package import FoundationEssentials
package import Postgres

/// Issues an authorization code to a person who has signed in, in the transaction in which their flow ends.
package struct IssueCode: Sendable {
    private let gate: TokenGate
    private let now: @Sendable () -> Timestamp
    private let store = CodeStore()

    package init(gate: TokenGate, now: @escaping @Sendable () -> Timestamp) {
        self.gate = gate
        self.now = now
    }

    /// - Returns: the code's text.
    /// - Throws: ``TokenRefusal``; `scopeNotGranted` when the person can't give what the client is for. `PostgresError`.
    package func callAsFunction(
        _ request: AuthorizationRequest, _ authentication: Authentication, sessionID: UUID, _ session: PostgresSession
    ) throws -> String {
        let roles = try gate.admit(
            session, user: authentication.user, generation: authentication.generation, session: sessionID, client: request.clientID)
        let scopes: [String]
        do { scopes = try ScopeRules.granted(request.scopes, to: roles) } catch { throw TokenRefusal.scopeNotGranted }
        let (secret, now) = (OpaqueSecret.random(), now())
        let code = AuthorizationCode(
            grant: Grant(
                clientID: request.clientID, session: sessionID, scopes: scopes, nonce: request.nonce, authentication: authentication),
            redirectURI: request.redirectURI, codeChallenge: request.codeChallenge, expiresAt: now + AuthorizationCode.lifetime, usedAt: nil,
            family: nil)
        try store.insert(session, code, hash: secret.hash, at: now)
        return secret.text
    }
}
