package import StrictJSON

/// `POST /v1/internal/users/resolve`.
package struct ResolveUserRequest: WireRequest {
    package let email: String

    package init(email: String) {
        self.email = email
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        email = try object.emailAddress()
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in writer.member("email", email) }
    }
}

/// An item of `GET /v1/internal/revocations`: a session whose access tokens are void, and until when there can be any.
package struct RevocationBody: WireBody {
    package let sessionID: SessionID
    package let revokedAt: Timestamp
    package let tokensExpireAt: Timestamp

    package init(sessionID: SessionID, revokedAt: Timestamp, tokensExpireAt: Timestamp) {
        self.sessionID = sessionID
        self.revokedAt = revokedAt
        self.tokensExpireAt = tokensExpireAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        sessionID = try object.identifier("sid")
        revokedAt = try object.time("revoked_at")
        tokensExpireAt = try object.time("exp")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("sid", sessionID.description)
            writer.member("revoked_at", revokedAt.description)
            writer.member("exp", tokensExpireAt.description)
        }
    }
}
