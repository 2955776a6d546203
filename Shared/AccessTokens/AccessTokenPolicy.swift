/// What a service demands of a token beyond a good signature: the verifier profile.
package struct AccessTokenPolicy: Sendable, Hashable {
    /// The one issuer whose tokens are taken, compared character by character.
    package let issuer: String
    /// The audience that a token must name.
    package let audience: String

    /// Seconds by which the clocks of issuer and service may differ, applied to `exp`, `nbf`, `iat` and `auth_time`.
    package static let leeway: Int64 = 10
    /// The longest token that is looked at, in bytes.
    package static let maximumTokenBytes = 8 * 1024

    /// Takes tokens of `issuer` that are meant for `audience`.
    package init(issuer: String, audience: String) {
        self.issuer = issuer
        self.audience = audience
    }
}
