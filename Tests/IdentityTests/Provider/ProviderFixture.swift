import AccessTokens
import Contracts
import Crypto
import EncryptionKeys
import Foundation
import HTTPService
import Logging
import Observability
import Postgres
import ServiceDatabase
import StrictJSON
import TestSupport
import Testing

@testable import Identity

/// The provider on a database of its own, with a clock that the test moves.
struct ProviderFixture {
    static let issuer = "https://id.example"
    static let redirectURI = "https://rp.example/cb"
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let identity: IdentityFixture
    let box: SecretBox
    let metrics = PrometheusRegistry()
    let provider: Provider
    let now: @Sendable () -> Timestamp

    var pool: PostgresPool { identity.pool }
    var clock: TestClock { identity.clock }

    init(schedule: SigningKeySchedule = .standard, connections: Int = 8, isPooled: Bool = false) async throws {
        identity = try await IdentityFixture(connections: connections, isPooled: isPooled)
        let key = EncryptionKeys.Key(id: "test", secret: SymmetricKey(size: .bits256))
        box = SecretBox(try #require(EncryptionKeys([key])))
        let clock = identity.clock
        now = { clock.now }
        provider = Provider(
            issuer: Self.issuer, pool: identity.pool, box: box, schedule: schedule, clock: ClockWitness(), metrics: metrics, logger: Self.quiet,
            now: now)
        try await provider.keys.refresh()
    }

    // MARK: clients

    static func client(
        _ id: String = "rp-1", isConfidential: Bool = true, isFirstParty: Bool = false, grants: Set<GrantType> = [.authorizationCode, .refreshToken],
        scopes: [String] = ["openid", "profile", "email", "offline_access", "wallet"], audience: String = OAuthClient.defaultAudience,
        introspects: String? = nil
    ) -> OAuthClient {
        OAuthClient(
            id: id, name: "Relying party", isConfidential: isConfidential, isFirstParty: isFirstParty, redirectURIs: [redirectURI], grants: grants,
            scopes: scopes, audience: audience, introspects: introspects)
    }

    /// - Returns: its secret, if it has one.
    @discardableResult
    func register(_ client: OAuthClient) async throws -> String? { try await RegisterClient(pool: pool, now: now)(client) }

    // MARK: codes

    struct SignedIn: Sendable {
        let user: UUID
        let session: UUID
        let authentication: Authentication
    }

    func signIn(roles: [String] = ["customer"], amr: [String] = ["pwd"]) async throws -> SignedIn {
        let user = try await identity.makeUser(roles: roles)
        let session = try await identity.makeSession(of: user, amr: amr)
        return SignedIn(
            user: user, session: session,
            authentication: Authentication(user: user, generation: 1, amr: amr, authenticatedAt: clock.now, secondFactorAt: nil))
    }

    /// A verifier and its challenge.
    static func proofKey() -> (verifier: String, challenge: String) {
        let verifier = OpaqueSecret.random().text
        return (verifier, Base64URL.encode(Array(SHA256.hash(data: Array(verifier.utf8)))))
    }

    func code(
        _ who: SignedIn, client: String = "rp-1", scopes: [String] = ["openid", "offline_access", "wallet"], challenge: String,
        nonce: String? = "n-1", redirectURI: String? = ProviderFixture.redirectURI
    ) async throws -> String {
        let request = AuthorizationRequest(
            clientID: client, redirectURI: redirectURI, scopes: scopes, nonce: nonce, codeChallenge: challenge)
        return try await pool.withTransaction { [provider] session in
            try provider.issueCode(request, who.authentication, sessionID: who.session, session)
        }
    }

    func redeem(
        _ code: String, _ verifier: String?, client: OAuthClient, redirectURI: String? = ProviderFixture.redirectURI
    ) async throws -> TokenBody {
        try await RedeemCode(pool: pool, gate: provider.gate, mint: mint, now: now)(
            code: code, redirectURI: redirectURI, verifier: verifier, client: client)
    }

    /// The tokens of somebody who has just signed in.
    func tokens(_ who: SignedIn? = nil, client: OAuthClient, scopes: [String] = ["openid", "offline_access", "wallet"]) async throws -> TokenBody {
        let signedIn: SignedIn
        if let who { signedIn = who } else { signedIn = try await signIn() }
        let proof = Self.proofKey()
        let code = try await code(signedIn, client: client.id, scopes: scopes, challenge: proof.challenge)
        return try await redeem(code, proof.verifier, client: client)
    }

    var mint: TokenMint { TokenMint(issuer: Self.issuer, keys: provider.keys, now: now) }

    func refresh(_ token: String, scope: String? = nil, client: OAuthClient) async throws -> TokenBody {
        try await RefreshTokens(pool: pool, gate: provider.gate, mint: mint, metrics: nil, now: now)(token, scope: scope, client: client)
    }

    func introspect(_ token: String, by client: OAuthClient) async throws -> IntrospectionBody {
        try await IntrospectToken(pool: pool, gate: provider.gate, verifiers: provider.verifiers, issuer: Self.issuer, now: now)(token, by: client)
    }

    // MARK: what tokens say

    /// Header and claims of a token, unverified.
    static func parts(_ token: String) throws -> (header: JSONValue, claims: JSONValue) {
        let parts = token.split(separator: ".")
        return (
            try JSONParser.parse(#require(Base64URL.decode(Array(parts[0].utf8)))),
            try JSONParser.parse(#require(Base64URL.decode(Array(parts[1].utf8))))
        )
    }
}

/// What was refused, for a comparison in one line.
func refusal<Value>(_ work: () async throws -> Value) async -> TokenRefusal? {
    do {
        _ = try await work()
        return nil
    } catch {
        return error as? TokenRefusal
    }
}
