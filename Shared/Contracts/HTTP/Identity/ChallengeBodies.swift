package import StrictJSON

/// The last answer of `POST /oauth2/authorize-challenge` (OAuth 2.0 for First-Party Applications, section 5.2.1).
package struct AuthorizationCodeBody: WireBody {
    package let code: String

    package init(code: String) {
        self.code = code
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        code = try object.string("authorization_code", length: recordedTextLength)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in writer.member("authorization_code", code) }
    }
}

/// Its other answers (section 5.2.2): what is missing or wrong, and what to go on with.
package struct ChallengeErrorBody: WireBody {
    package let error: String
    package let errorDescription: String
    /// For the next request; nil when there is none to be made.
    package let authSession: String?

    package init(error: String, errorDescription: String, authSession: String?) {
        self.error = error
        self.errorDescription = errorDescription
        self.authSession = authSession
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        error = try object.string("error", length: recordedTextLength)
        errorDescription = try object.string("error_description", length: recordedTextLength)
        authSession = try object.optionalString("auth_session", length: recordedTextLength)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("error", error)
            writer.member("error_description", errorDescription)
            if let authSession { writer.member("auth_session", authSession) }
        }
    }
}
