import AccessTokens
import Contracts
import Crypto
import FoundationEssentials
import StrictJSON

/// Writes and signs tokens. Whether one may be had is decided before, by the gate.
struct TokenMint: Sendable {
    /// How long access tokens and ID tokens are good, in seconds.
    static let lifetime: Int64 = 300
    private static let tokenIDBytes = 16

    let issuer: String
    let keys: SigningKeyRing
    let now: @Sendable () -> Timestamp

    /// What a person let a client have.
    ///
    /// - Parameters:
    ///   - scopes: Of the grant's, those that are asked for.
    ///   - isFirst: The nonce is in the first ID token only.
    /// - Throws: ``NoSigningKey``, or what the library throws.
    func tokens(
        for grant: Grant, scopes: [String], roles: Set<String>, client: OAuthClient, refreshToken: RefreshToken?, isFirst: Bool
    ) throws -> TokenBody {
        let now = now().seconds
        let access = try access(
            subject: UserID(grant.authentication.user).description, client: client, scopes: ScopeRules.ofAccessToken(scopes), now: now
        ) { writer in
            if !roles.isEmpty { Self.list("roles", roles.sorted(), &writer) }
            Self.authentication(grant, &writer)
        }
        let identity =
            scopes.contains(ScopeRules.openID) ? try identity(of: grant, accessToken: access, nonce: isFirst ? grant.nonce : nil, now: now) : nil
        return TokenBody(
            accessToken: access, expiresIn: Self.lifetime, scope: scopes.joined(separator: " "), refreshToken: refreshToken?.text,
            idToken: identity)
    }

    /// What a machine gets for itself.
    ///
    /// - Throws: ``NoSigningKey``, or what the library throws.
    func token(for client: OAuthClient, scopes: [String]) throws -> TokenBody {
        let access = try access(subject: client.id, client: client, scopes: scopes, now: now().seconds) { _ in }
        return TokenBody(accessToken: access, expiresIn: Self.lifetime, scope: scopes.joined(separator: " "))
    }

    /// RFC 9068, section 2.2.
    private func access(
        subject: String, client: OAuthClient, scopes: [String], now: Int64, _ more: (inout JSONWriter) -> Void
    ) throws -> String {
        var random = SystemRandomNumberGenerator()
        let tokenID = Base64URL.encode((0..<Self.tokenIDBytes).map { _ in UInt8.random(in: .min ... .max, using: &random) })
        var writer = JSONWriter(capacity: 512)
        writer.object { writer in
            writer.member("iss", issuer)
            // With `openid` the token is meant for the provider's own userinfo too.
            if scopes.contains(ScopeRules.openID) {
                Self.list("aud", [client.audience, issuer], &writer)
            } else {
                writer.member("aud", client.audience)
            }
            writer.member("sub", subject)
            writer.member("client_id", client.id)
            writer.member("jti", tokenID)
            writer.member("iat", now)
            writer.member("exp", now + Self.lifetime)
            if !scopes.isEmpty { writer.member("scope", scopes.joined(separator: " ")) }
            more(&writer)
        }
        return try keys.sign(writer.bytes, as: .access)
    }

    /// OpenID Connect Core, sections 2 and 3.1.3.6.
    private func identity(of grant: Grant, accessToken: String, nonce: String?, now: Int64) throws -> String {
        let hash = Array(SHA256.hash(data: Array(accessToken.utf8)))
        var writer = JSONWriter(capacity: 512)
        writer.object { writer in
            writer.member("iss", issuer)
            writer.member("aud", grant.clientID)
            writer.member("sub", UserID(grant.authentication.user).description)
            writer.member("iat", now)
            writer.member("exp", now + Self.lifetime)
            if let nonce { writer.member("nonce", nonce) }
            writer.member("at_hash", Base64URL.encode(hash.prefix(hash.count / 2)))
            Self.authentication(grant, &writer)
        }
        return try keys.sign(writer.bytes, as: .identity)
    }

    /// How and when the person was authenticated: the same in every token of the grant, however late.
    private static func authentication(_ grant: Grant, _ writer: inout JSONWriter) {
        writer.member("acr", grant.authentication.acr)
        list("amr", grant.authentication.amr, &writer)
        writer.member("auth_time", grant.authentication.authenticatedAt.seconds)
        writer.member("sid", SessionID(grant.session).description)
    }

    private static func list(_ name: StaticString, _ values: [String], _ writer: inout JSONWriter) {
        writer.name(name)
        writer.array { writer in
            for value in values { writer.string(value) }
        }
    }
}
