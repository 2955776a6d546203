import Crypto
import FoundationEssentials
import JWTKit

/// Issues access tokens from a key of its own, for the demo, tests and benchmark; it cannot be made in production.
package struct LocalTokenIssuer: Sendable {
    /// What its tokens name as `iss`.
    package let issuer: String
    /// What its tokens name as `aud`.
    package let audience: String
    /// The `kid` of its key: the key's thumbprint (RFC 7638).
    package let keyID: String
    private let key: P256.Signing.PrivateKey

    /// The issuer named unless said otherwise.
    package static let defaultIssuer = "http://127.0.0.1:8101"
    /// The audience named unless said otherwise.
    package static let defaultAudience = "florin-api"
    /// The client that a person's token names unless said otherwise.
    package static let defaultUserClientID = "florin-mobile"
    /// How long a token lives unless said otherwise, in seconds.
    package static let defaultLifetime: Int64 = 300
    /// The longest life that can be asked for, in seconds.
    package static let maximumLifetime: Int64 = 86_400
    /// The file of the private key within the issuer's directory (PEM, mode 0600).
    package static let privateKeyFileName = "issuer-key.pem"
    /// The file of the public key set within the issuer's directory (RFC 7517).
    package static let keySetFileName = "jwks.json"

    private static let allowedEnvironments: Set<String> = ["local", "staging"]
    private static let tokenIDBytes = 16

    /// An issuer whose new key exists in memory only.
    /// - Parameter environment: the value of `FLORIN_ENVIRONMENT`; everything but `local` and `staging` is refused.
    package init(
        environment: String, issuer: String = LocalTokenIssuer.defaultIssuer, audience: String = LocalTokenIssuer.defaultAudience
    ) throws(LocalTokenIssuerError) {
        try self.init(key: P256.Signing.PrivateKey(), environment: environment, issuer: issuer, audience: audience)
    }

    /// The issuer of a directory that `create` has prepared.
    package init(
        directory: String, environment: String, issuer: String = LocalTokenIssuer.defaultIssuer,
        audience: String = LocalTokenIssuer.defaultAudience
    ) throws(LocalTokenIssuerError) {
        let file = Self.privateKeyFile(in: directory)
        try Self.check(environment)
        guard let pem = try file.read() else { throw .notInitialised(directory: directory) }
        guard let key = try? P256.Signing.PrivateKey(pemRepresentation: String(decoding: pem, as: UTF8.self)) else {
            throw .unusableKey(path: file.path)
        }
        try self.init(key: key, environment: environment, issuer: issuer, audience: audience)
    }

    /// The issuer of a directory, which is prepared if it has none yet; a key that exists is kept.
    package static func create(
        directory: String, environment: String, issuer: String = defaultIssuer, audience: String = defaultAudience
    ) throws(LocalTokenIssuerError) -> LocalTokenIssuer {
        try check(environment)
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw .fileFailed(path: directory, code: 0)
        }
        let file = privateKeyFile(in: directory)
        if try file.read() == nil {
            _ = try file.create(Array(P256.Signing.PrivateKey().pemRepresentation.utf8))
        }
        let issuer = try LocalTokenIssuer(directory: directory, environment: environment, issuer: issuer, audience: audience)
        try IssuerFile(path: keySetPath(in: directory), mode: 0o644).replace(issuer.keySetDocument)
        return issuer
    }

    /// Where the public key set of an issuer's directory lies.
    package static func keySetPath(in directory: String) -> String {
        "\(directory)/\(keySetFileName)"
    }

    /// The public key set with this issuer's key, as JSON.
    package var keySetDocument: [UInt8] {
        Self.keySetDocument(of: [self])
    }

    /// One public key set with the keys of several issuers, as between the steps of a key rotation.
    package static func keySetDocument(of issuers: [LocalTokenIssuer]) -> [UInt8] {
        let keys = issuers.map { issuer in
            let (x, y) = coordinates(of: issuer.key)
            return #"{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"\#(issuer.keyID)","x":"\#(x)","y":"\#(y)"}"#
        }
        return Array(#"{"keys":[\#(keys.joined(separator: ","))]}"#.utf8)
    }

    /// Issues a token at `now` (Unix seconds); nothing is checked that a verifier would refuse, so that tests can ask for it.
    /// - Parameters:
    ///   - clientID: the client of a person's token; a client's own token always names that client.
    ///   - lifetime: in seconds, at most the maximum.
    ///   - authenticatedAt: when the person was authenticated, in Unix seconds.
    package func token(
        for principal: Principal, clientID: String? = nil, scopes: [String] = [], roles: [String] = [],
        lifetime: Int64 = LocalTokenIssuer.defaultLifetime, authenticationContext: String? = nil, authenticatedAt: Int64? = nil,
        sessionID: String? = nil, tokenID: String = LocalTokenIssuer.randomTokenID(), now: Int64
    ) async throws(LocalTokenIssuerError) -> String {
        guard (1...Self.maximumLifetime).contains(lifetime) else { throw .lifetimeOutOfRange }
        let (subject, client) =
            switch principal {
            case .user(let subject): (subject, clientID ?? Self.defaultUserClientID)
            case .client(let clientID): (clientID, clientID)
            }
        let claims = AccessTokenClaims(
            issuer: issuer, audience: .init(audience), subject: subject, clientID: client, tokenID: tokenID, expiresAt: now + lifetime,
            issuedAt: now, scope: scopes.isEmpty ? nil : scopes.joined(separator: " "), roles: roles.isEmpty ? nil : roles,
            authenticationContext: authenticationContext, authenticatedAt: authenticatedAt, sessionID: sessionID)
        do {
            let id = JWKIdentifier(string: keyID)
            return try await JWTKeyCollection().add(ecdsa: ES256PrivateKey(backing: key), kid: id)
                .sign(claims, kid: id, header: ["typ": .string(CompactToken.type)])
        } catch {
            throw .signingFailed
        }
    }

    /// A new `jti` from the system's source of randomness.
    package static func randomTokenID() -> String {
        Base64URL.encode((0..<tokenIDBytes).map { _ in UInt8.random(in: .min ... .max) })
    }

    private init(key: P256.Signing.PrivateKey, environment: String, issuer: String, audience: String) throws(LocalTokenIssuerError) {
        try Self.check(environment)
        self.issuer = issuer
        self.audience = audience
        self.key = key
        let (x, y) = Self.coordinates(of: key)
        // The members that RFC 7638 names, in its order and without spaces.
        let thumbprint = SHA256.hash(data: Data(#"{"crv":"P-256","kty":"EC","x":"\#(x)","y":"\#(y)"}"#.utf8))
        self.keyID = Base64URL.encode(Array(thumbprint))
    }

    private static func privateKeyFile(in directory: String) -> IssuerFile {
        IssuerFile(path: "\(directory)/\(privateKeyFileName)", mode: 0o600)
    }

    /// A list of what is allowed, so that a misspelt `production` is refused too.
    private static func check(_ environment: String) throws(LocalTokenIssuerError) {
        guard allowedEnvironments.contains(environment) else { throw .environmentNotAllowed }
    }

    private static func coordinates(of key: P256.Signing.PrivateKey) -> (x: String, y: String) {
        let point = Array(key.publicKey.rawRepresentation)
        return (Base64URL.encode(point.prefix(point.count / 2)), Base64URL.encode(point.suffix(point.count / 2)))
    }
}

extension AccessTokenClaims: JWTPayload {
    /// What JWTKit asks of a payload that it signs; judging claims is `accepted(by:now:)`.
    func verify(using algorithm: some JWTAlgorithm) throws {
        guard algorithm.name == CompactToken.algorithm else { throw TokenRejection.invalid(.algorithm) }
    }
}
