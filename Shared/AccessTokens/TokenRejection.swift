/// Why a token was not taken; it never contains the token or a part of it, so it is safe to log.
package enum TokenRejection: Error, Equatable, Sendable {
    /// The request carries no bearer token.
    case missing
    /// It is not a signed token in compact form within the size limit.
    case malformed
    /// It is a token, but not one that this service takes.
    case invalid(Reason)
    /// Everything else is right, but its time is over.
    case expired
    /// No key set could be had that would allow a judgement; the caller may try again.
    case keysUnavailable

    /// The first check that a well-formed token failed.
    package enum Reason: String, Equatable, Sendable, CaseIterable {
        /// The header's `typ` is not that of an access token (RFC 9068, section 2.1).
        case type
        /// The header's `alg` is not ES256.
        case algorithm
        /// The header demands an extension (`crit`, RFC 7515, section 4.1.11); none is understood.
        case criticalExtension
        /// The header has no usable `kid`.
        case keyID
        /// The key set has no such key.
        case unknownKey
        /// The signature is not that of the key.
        case signature
        /// A required claim is missing, or a claim has the wrong type or shape.
        case claims
        /// It is from another issuer.
        case issuer
        /// It is meant for somebody else.
        case audience
        /// Its time has not begun (`nbf`, `iat`), or its times contradict each other.
        case time
        /// `sub` is neither a person nor the client itself.
        case subject
        /// The scopes are not those that this kind of principal may have.
        case scope
    }

    /// The stable problem code of the interfaces page.
    package var code: String {
        switch self {
        case .missing: "token_missing"
        case .malformed, .invalid: "token_invalid"
        case .expired: "token_expired"
        case .keysUnavailable: "unavailable"
        }
    }
}

extension TokenRejection: CustomStringConvertible {
    /// A constant text per case, for logs.
    package var description: String {
        switch self {
        case .missing: "no access token"
        case .malformed: "malformed access token"
        case .invalid(let reason): "access token refused: \(reason.rawValue)"
        case .expired: "access token expired"
        case .keysUnavailable: "no key set to judge the access token by"
        }
    }
}
