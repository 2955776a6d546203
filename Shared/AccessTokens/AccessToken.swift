/// What a verified access token says; a value of this type exists only after every check has passed, or in a test that made it up.
package struct AccessToken: Sendable, Hashable {
    /// The authorization server that issued it (`iss`).
    package let issuer: String
    /// The person or client it stands for (`sub`).
    package let principal: Principal
    /// The client that obtained it (`client_id`).
    package let clientID: String
    /// What it may be used for (`scope`, split).
    package let scopes: Set<String>
    /// The roles of a member of staff (`roles`), otherwise empty.
    package let roles: Set<String>
    /// How strongly the person was authenticated (`acr`), if that is known.
    package let authenticationContext: String?
    /// When the person was last authenticated (`auth_time`), in Unix seconds, if that is known.
    package let authenticatedAt: Int64?
    /// The session it belongs to (`sid`), if there is one.
    package let sessionID: String?
    /// When it was issued (`iat`), in Unix seconds.
    package let issuedAt: Int64
    /// When it ends (`exp`), in Unix seconds, without the leeway.
    package let expiresAt: Int64
    /// Its own identifier (`jti`).
    package let tokenID: String

    /// Puts a token together from its parts, without any check.
    package init(
        issuer: String, principal: Principal, clientID: String, scopes: Set<String>, roles: Set<String> = [],
        authenticationContext: String? = nil, authenticatedAt: Int64? = nil, sessionID: String? = nil, issuedAt: Int64, expiresAt: Int64,
        tokenID: String
    ) {
        self.issuer = issuer
        self.principal = principal
        self.clientID = clientID
        self.scopes = scopes
        self.roles = roles
        self.authenticationContext = authenticationContext
        self.authenticatedAt = authenticatedAt
        self.sessionID = sessionID
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.tokenID = tokenID
    }

    /// Whether the token carries exactly this scope.
    package func hasScope(_ scope: String) -> Bool {
        scopes.contains(scope)
    }
}
