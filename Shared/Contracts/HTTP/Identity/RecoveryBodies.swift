package import StrictJSON

/// `POST /v1/recovery`.
package struct RecoveryRequest: WireRequest {
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

/// `POST /v1/recovery/complete`.
package struct CompleteRecoveryRequest: WireRequest {
    package let flow: String
    /// The mailed code.
    package let code: String
    package let newPassword: String
    /// A TOTP or recovery code; required of a user with a second factor.
    package let secondFactor: String?

    package init(flow: String, code: String, newPassword: String, secondFactor: String? = nil) {
        self.flow = flow
        self.code = code
        self.newPassword = newPassword
        self.secondFactor = secondFactor
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        flow = try object.flowHandle()
        code = try object.enteredCode("code")
        newPassword = try object.text("new_password")
        secondFactor = try object.optionalEnteredCode("second_factor")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("flow", flow)
            writer.member("code", code)
            writer.member("new_password", newPassword)
            if let secondFactor { writer.member("second_factor", secondFactor) }
        }
    }
}
