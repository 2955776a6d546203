package import StrictJSON

/// The answer of the token endpoint (RFC 6749, section 5.1; OpenID Connect Core, section 3.1.3.3).
package struct TokenBody: WireBody {
    package let accessToken: String
    package let expiresIn: Int64
    package let scope: String
    package let refreshToken: String?
    package let idToken: String?

    private static let type = "Bearer"

    package init(accessToken: String, expiresIn: Int64, scope: String, refreshToken: String? = nil, idToken: String? = nil) {
        self.accessToken = accessToken
        self.expiresIn = expiresIn
        self.scope = scope
        self.refreshToken = refreshToken
        self.idToken = idToken
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        accessToken = try object.text("access_token")
        guard try object.text("token_type") == Self.type else { throw object.refusal("token_type", "Must be `Bearer`.") }
        expiresIn = try object.integer("expires_in", in: 0...Int64(Int32.max))
        scope = try object.text("scope")
        refreshToken = try object.optionalText("refresh_token")
        idToken = try object.optionalText("id_token")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("access_token", accessToken)
            writer.member("token_type", Self.type)
            writer.member("expires_in", expiresIn)
            writer.member("scope", scope)
            if let refreshToken { writer.member("refresh_token", refreshToken) }
            if let idToken { writer.member("id_token", idToken) }
        }
    }
}

/// A refusal at `/oauth2/*` (RFC 6749, section 5.2).
package struct OAuthErrorBody: WireBody {
    package let error: String
    package let errorDescription: String?

    package init(error: String, errorDescription: String? = nil) {
        self.error = error
        self.errorDescription = errorDescription
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        error = try object.text("error")
        errorDescription = try object.optionalText("error_description")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("error", error)
            if let errorDescription { writer.member("error_description", errorDescription) }
        }
    }
}

/// The answer of introspection (RFC 7662, section 2.2). Whatever the caller may not see is inactive, and nothing more is said of it.
package struct IntrospectionBody: WireBody {
    /// What an active token says.
    package struct Token: Sendable, Hashable {
        package let clientID: String
        package let subject: String
        package let scope: String
        package let issuer: String
        package let audience: String?
        package let issuedAt: Int64?
        package let expiresAt: Int64
        package let tokenID: String?
        package let sessionID: String?
        package let authenticationContext: String?
        package let authenticatedAt: Int64?

        package init(
            clientID: String, subject: String, scope: String, issuer: String, audience: String? = nil, issuedAt: Int64? = nil, expiresAt: Int64,
            tokenID: String? = nil, sessionID: String? = nil, authenticationContext: String? = nil, authenticatedAt: Int64? = nil
        ) {
            self.clientID = clientID
            self.subject = subject
            self.scope = scope
            self.issuer = issuer
            self.audience = audience
            self.issuedAt = issuedAt
            self.expiresAt = expiresAt
            self.tokenID = tokenID
            self.sessionID = sessionID
            self.authenticationContext = authenticationContext
            self.authenticatedAt = authenticatedAt
        }
    }

    /// nil for a token that is not active.
    package let token: Token?

    package static let inactive = IntrospectionBody(token: nil)

    package init(token: Token?) {
        self.token = token
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        guard try object.bool("active") else {
            token = nil
            return
        }
        let times = 0...Int64(253_402_300_799)
        token = Token(
            clientID: try object.text("client_id"), subject: try object.text("sub"), scope: try object.text("scope"),
            issuer: try object.text("iss"), audience: try object.optionalText("aud"), issuedAt: try object.optionalInteger("iat", in: times),
            expiresAt: try object.integer("exp", in: times), tokenID: try object.optionalText("jti"), sessionID: try object.optionalText("sid"),
            authenticationContext: try object.optionalText("acr"), authenticatedAt: try object.optionalInteger("auth_time", in: times))
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("active", token != nil)
            guard let token else { return }
            writer.member("client_id", token.clientID)
            writer.member("sub", token.subject)
            writer.member("scope", token.scope)
            writer.member("iss", token.issuer)
            if let audience = token.audience { writer.member("aud", audience) }
            if let issuedAt = token.issuedAt { writer.member("iat", issuedAt) }
            writer.member("exp", token.expiresAt)
            if let tokenID = token.tokenID { writer.member("jti", tokenID) }
            if let sessionID = token.sessionID { writer.member("sid", sessionID) }
            if let context = token.authenticationContext { writer.member("acr", context) }
            if let time = token.authenticatedAt { writer.member("auth_time", time) }
        }
    }
}

/// What a client learns of the person (OpenID Connect Core, section 5.3).
package struct UserInfoBody: WireBody {
    package let subject: String
    package let name: String?
    package let locale: String?
    package let email: String?

    package init(subject: String, name: String? = nil, locale: String? = nil, email: String? = nil) {
        self.subject = subject
        self.name = name
        self.locale = locale
        self.email = email
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        subject = try object.text("sub")
        name = try object.optionalText("name")
        locale = try object.optionalText("locale")
        email = try object.optionalText("email")
        // Nobody has an address here that was not verified.
        let isVerified = try object.optionalBool("email_verified")
        guard isVerified == (email == nil ? nil : true) else { throw object.refusal("email_verified", "Must be true.") }
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sub", subject)
            if let name { writer.member("name", name) }
            if let locale { writer.member("locale", locale) }
            if let email {
                writer.member("email", email)
                writer.member("email_verified", true)
            }
        }
    }
}
