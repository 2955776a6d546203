package import StrictJSON

/// `POST /v1/me/password`.
package struct ChangePasswordRequest: WireRequest {
    package let currentPassword: String
    package let newPassword: String

    package init(currentPassword: String, newPassword: String) {
        self.currentPassword = currentPassword
        self.newPassword = newPassword
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        currentPassword = try object.text("current_password")
        newPassword = try object.text("new_password")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("current_password", currentPassword)
            writer.member("new_password", newPassword)
        }
    }
}

/// The answer to `POST /v1/me/mfa/totp`: a secret for an authenticator app, which counts once a code of it has been entered.
package struct TOTPEnrolmentBody: WireBody {
    /// In base32, to be typed.
    package let secret: String
    /// The `otpauth:` URI.
    package let uri: String
    /// The URI as a QR code, an SVG.
    package let qrCode: String
    package let expiresAt: Timestamp

    package init(secret: String, uri: String, qrCode: String, expiresAt: Timestamp) {
        self.secret = secret
        self.uri = uri
        self.qrCode = qrCode
        self.expiresAt = expiresAt
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        secret = try object.text("secret")
        uri = try object.text("uri")
        qrCode = try object.text("qr_code")
        expiresAt = try object.time("expires_at")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.member("secret", secret)
            writer.member("uri", uri)
            writer.member("qr_code", qrCode)
            writer.member("expires_at", expiresAt.description)
        }
    }
}

/// `POST /v1/me/mfa/totp/confirm`.
package struct ConfirmTOTPRequest: WireRequest {
    package let code: String

    package init(code: String) {
        self.code = code
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        code = try object.enteredCode("code")
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in writer.member("code", code) }
    }
}

/// The answer that shows recovery codes, once.
package struct RecoveryCodesBody: WireBody {
    package let recoveryCodes: [String]

    package init(recoveryCodes: [String]) {
        self.recoveryCodes = recoveryCodes
    }

    package init(reading object: inout JSONObjectReader) throws(RequestFault) {
        guard let codes = object.take("recovery_codes")?.arrayValue?.map(\.stringValue), !codes.contains(nil) else {
            throw object.refusal("recovery_codes", "Must be an array of strings.")
        }
        recoveryCodes = codes.compactMap(\.self)
    }

    package func encode(into writer: inout JSONWriter) {
        writer.object { writer in
            writer.name("recovery_codes")
            writer.array { writer in
                for code in recoveryCodes { writer.string(code) }
            }
        }
    }
}
