/// What a client is answered instead of a code (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6).
package struct AuthorizationError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case invalidRequest = "invalid_request"
        case unauthorizedClient = "unauthorized_client"
        case accessDenied = "access_denied"
        case unsupportedResponseType = "unsupported_response_type"
        case invalidScope = "invalid_scope"
        case loginRequired = "login_required"
        case consentRequired = "consent_required"
        case requestNotSupported = "request_not_supported"
        case requestURINotSupported = "request_uri_not_supported"
        case registrationNotSupported = "registration_not_supported"
        /// RFC 9470: the authentication that was asked for can't be had.
        case unmetAuthenticationRequirements = "unmet_authentication_requirements"
    }

    package let code: Code
    /// For the client's developer: constant text, in the characters of RFC 6749.
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }
}

/// Why an authorization request is not carried out.
package enum AuthorizationFault: Error, Sendable, Hashable {
    /// A person is shown a page: there is no address that an answer may be sent to.
    case page(Page)
    /// The client gets it by redirect.
    case redirect(AuthorizationError, to: AnswerAddress)

    package enum Page: String, Sendable, Hashable, CaseIterable {
        case clientMissing, clientUnknown, redirectURIMissing, redirectURIUnknown, parameterRepeated
    }
}

/// Where the answer to an authorization request goes, and the client's own mark on it.
package struct AnswerAddress: Sendable, Hashable {
    package let redirectURI: String
    package let state: String?

    package init(redirectURI: String, state: String?) {
        self.redirectURI = redirectURI
        self.state = state
    }

    /// The Location of a code.
    package func location(code: String, issuer: String) -> String { location([("code", code)], issuer: issuer) }

    /// The Location of an error.
    package func location(_ error: AuthorizationError, issuer: String) -> String {
        location([("error", error.code.rawValue), ("error_description", error.detail)], issuer: issuer)
    }

    /// Each value is encoded once, as a form's (RFC 6749, section 4.1.2), so that `state` comes back as it went; `iss` tells the client who
    /// answered (RFC 9207).
    private func location(_ fields: [(name: String, value: String)], issuer: String) -> String {
        let all = fields + (state.map { [("state", $0)] } ?? []) + [("iss", issuer)]
        let query = all.map { "\($0.0)=\(Self.encoded($0.1))" }.joined(separator: "&")
        return redirectURI + (redirectURI.contains("?") ? "&" : "?") + query
    }

    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
