package import StrictJSON

/// `POST /v1/users`.
package struct RegisterUserRequest: WireRequest {
    package let email: String
    package let password: String
    package let name: String?
    package let locale: String?

    package init(email: String, password: String, name: String? = nil, locale: String? = nil) {
        self.email = email
        self.password = password
        self.name = name
        self.locale = locale
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        email = try object.emailAddress()
        // What a password may be is judged where it is prepared, in its own words.
        password = try object.text("password")
        name = try object.optionalPersonName()
        locale = try object.optionalLocale()
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("email", email)
            writer.member("password", password)
            if let name { writer.member("name", name) }
            if let locale { writer.member("locale", locale) }
        }
    }
}

/// The answer to `POST /v1/users` and `POST /v1/recovery`, the same for every address.
package struct CodeRequestedBody: WireBody {
    /// The handle of what was begun; only who has it can enter the code.
    package let flow: String
    /// Until when the code can be entered.
    package let expiresAt: Timestamp

    package init(flow: String, expiresAt: Timestamp) {
        self.flow = flow
        self.expiresAt = expiresAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        flow = try object.text("flow")
        expiresAt = try object.time("expires_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("flow", flow)
            writer.member("expires_at", expiresAt.description)
        }
    }
}

/// `POST /v1/users/verify-email`.
package struct VerifyEmailRequest: WireRequest {
    package let flow: String
    package let code: String

    package init(flow: String, code: String) {
        self.flow = flow
        self.code = code
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        flow = try object.flowHandle()
        code = try object.enteredCode("code")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("flow", flow)
            writer.member("code", code)
        }
    }
}

/// A user by id alone: the answer to `POST /v1/users/verify-email` and to `POST /v1/internal/users/resolve`.
package struct UserIDBody: WireBody {
    package let userID: UserID

    package init(userID: UserID) {
        self.userID = userID
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        userID = try object.identifier("user_id")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in writer.member("user_id", userID.description) }
    }
}
