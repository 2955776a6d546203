import AccessTokens
import Contracts
import Crypto
import Foundation
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import Identity

@Suite("Authorization codes")
struct RedeemCodeTests {
    private static let client = ProviderFixture.client()

    private static func fixture() async throws -> ProviderFixture {
        let fixture = try await ProviderFixture()
        try await fixture.register(client)
        return fixture
    }

    @Test("a code gives an access token, an ID token and a refresh token that say who signed in, how and when")
    func tokens() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn(amr: ["pwd", "otp"])
        fixture.clock.advance(by: .seconds(5))
        let body = try await fixture.tokens(who, client: Self.client)
        let now = fixture.clock.seconds
        let access = try await fixture.provider.verifiers.verify(body.accessToken, audience: "florin-api", now: now)
        #expect(access.principal == .user(UserID(who.user).description) && access.clientID == "rp-1")
        #expect(access.scopes == ["openid", "offline_access", "wallet"] && access.roles == ["customer"])
        #expect(access.authenticationContext == Authentication.multiFactor && access.authenticatedAt == now - 5)
        #expect(access.sessionID == SessionID(who.session).description && access.expiresAt == access.issuedAt + 300 && access.issuedAt == now)
        let (header, claims) = try ProviderFixture.parts(body.accessToken)
        #expect(header["typ"]?.stringValue == "at+jwt" && header["alg"]?.stringValue == "ES256")
        #expect(claims["amr"] == .array([.string("pwd"), .string("otp")]))
        // It is meant for userinfo too.
        _ = try await fixture.provider.verifiers.verify(body.accessToken, audience: ProviderFixture.issuer, now: now)

        let id = try ProviderFixture.parts(try #require(body.idToken))
        #expect(id.header["typ"]?.stringValue == "JWT")
        #expect(id.claims["iss"]?.stringValue == ProviderFixture.issuer && id.claims["aud"]?.stringValue == "rp-1")
        #expect(id.claims["sub"]?.stringValue == UserID(who.user).description && id.claims["nonce"]?.stringValue == "n-1")
        #expect(id.claims["auth_time"]?.integerValue == now - 5 && id.claims["acr"]?.stringValue == Authentication.multiFactor)
        let hash = Array(SHA256.hash(data: Array(body.accessToken.utf8))).prefix(16)
        #expect(id.claims["at_hash"]?.stringValue == Base64URL.encode(hash))
        // An ID token is no access token.
        await #expect(throws: TokenRejection.invalid(.type)) {
            _ = try await fixture.provider.verifiers.verify(body.idToken ?? "", audience: "rp-1", now: now)
        }
        #expect(body.refreshToken?.hasPrefix("frt_") == true && body.scope == "openid offline_access wallet")
    }

    @Test("without openid there is no ID token, without offline_access no refresh token, unless the app is ours")
    func less() async throws {
        let fixture = try await Self.fixture()
        let body = try await fixture.tokens(client: Self.client, scopes: ["wallet"])
        #expect(body.idToken == nil && body.refreshToken == nil)
        let app = ProviderFixture.client("app", isConfidential: false, isFirstParty: true)
        try await fixture.register(app)
        #expect(try await fixture.tokens(client: app, scopes: ["wallet"]).refreshToken != nil)
    }

    @Test("ID-17: a wrong verifier, none, or the challenge itself redeems nothing, and does not use the code up")
    func verifier() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let proof = ProviderFixture.proofKey()
        let code = try await fixture.code(who, challenge: proof.challenge)
        for wrong in [nil, proof.challenge, ProviderFixture.proofKey().verifier, String(proof.verifier.dropLast()), proof.verifier + "A"] {
            #expect(await refusal { try await fixture.redeem(code, wrong, client: Self.client) } == .codeMismatch)
        }
        _ = try await fixture.redeem(code, proof.verifier, client: Self.client)
    }

    @Test("ID-23: a code of another client, or for another redirect URI, is invalid_grant and stays good for its own")
    func foreign() async throws {
        let fixture = try await Self.fixture()
        let other = ProviderFixture.client("rp-2")
        try await fixture.register(other)
        let who = try await fixture.signIn()
        let proof = ProviderFixture.proofKey()
        let code = try await fixture.code(who, challenge: proof.challenge)
        #expect(await refusal { try await fixture.redeem(code, proof.verifier, client: other) } == .codeMismatch)
        #expect(await refusal { try await fixture.redeem(code, proof.verifier, client: Self.client, redirectURI: nil) } == .codeMismatch)
        #expect(
            await refusal { try await fixture.redeem(code, proof.verifier, client: Self.client, redirectURI: "https://rp.example/other") }
                == .codeMismatch)
        #expect(await refusal { try await fixture.redeem("x", proof.verifier, client: Self.client) } == .codeUnknown)
        #expect(await refusal { try await fixture.redeem(OpaqueSecret.random().text, proof.verifier, client: Self.client) } == .codeUnknown)
        _ = try await fixture.redeem(code, proof.verifier, client: Self.client)
    }

    @Test("ID-23: of 50 who redeem a code at once one gets tokens, and no refresh token is left alive")
    func race() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let proof = ProviderFixture.proofKey()
        let code = try await fixture.code(who, challenge: proof.challenge)
        let results = await withTaskGroup(of: (TokenBody?, TokenRefusal?).self) { group in
            for _ in 0..<50 {
                group.addTask {
                    do { return (try await fixture.redeem(code, proof.verifier, client: Self.client), nil) } catch {
                        return (nil, error as? TokenRefusal)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(results.count { $0.0 != nil } == 1)
        #expect(results.count { $0.1 == .codeReused } == 49)
        #expect(try await fixture.identity.count("refresh_families") == 1)
        #expect(try await fixture.identity.count("refresh_families", where: "revoked_at IS NULL") == 0)
    }

    @Test("ID-23: a code that comes again revokes what it was used for")
    func reuse() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let proof = ProviderFixture.proofKey()
        let code = try await fixture.code(who, challenge: proof.challenge)
        let body = try await fixture.redeem(code, proof.verifier, client: Self.client)
        let token = try #require(body.refreshToken)
        fixture.clock.advance(by: .seconds(600))
        #expect(await refusal { try await fixture.redeem(code, proof.verifier, client: Self.client) } == .codeReused)
        #expect(await refusal { try await fixture.refresh(token, client: Self.client) } == .refreshRevoked)
        #expect(try await fixture.identity.count("refresh_families", where: "revoke_reason = 'code_reuse'") == 1)
    }

    @Test("ID-23: a code that gave no refresh token is good once too")
    func onceWithoutFamily() async throws {
        let fixture = try await Self.fixture()
        let proof = ProviderFixture.proofKey()
        let code = try await fixture.code(try await fixture.signIn(), scopes: ["wallet"], challenge: proof.challenge)
        _ = try await fixture.redeem(code, proof.verifier, client: Self.client)
        #expect(await refusal { try await fixture.redeem(code, proof.verifier, client: Self.client) } == .codeReused)
    }

    @Test("a code is good for 60 seconds")
    func expiry() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let proof = ProviderFixture.proofKey()
        let (early, late) = (
            try await fixture.code(who, challenge: proof.challenge), try await fixture.code(who, challenge: proof.challenge)
        )
        fixture.clock.advance(by: .milliseconds(59_999))
        _ = try await fixture.redeem(early, proof.verifier, client: Self.client)
        fixture.clock.advance(by: .milliseconds(1))
        #expect(await refusal { try await fixture.redeem(late, proof.verifier, client: Self.client) } == .codeExpired)
    }

    @Test(
        "ID-25: between code and token the account is disabled, its credentials change, the session ends, the client is disabled: no token",
        arguments: [
            ("UPDATE users SET status = 'disabled'", TokenRefusal.userNotActive),
            ("UPDATE users SET credential_generation = credential_generation + 1", .generationChanged),
            ("UPDATE sessions SET ended_at = now(), end_reason = 'ended_by_user'", .sessionEnded),
            ("UPDATE sessions SET expires_at = '2026-01-01'", .sessionEnded), ("UPDATE clients SET disabled_at = now()", .clientDisabled),
        ])
    func gate(change: String, reason: TokenRefusal) async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let proof = ProviderFixture.proofKey()
        let code = try await fixture.code(who, challenge: proof.challenge)
        let token = try #require(try await fixture.tokens(who, client: Self.client).refreshToken)
        try await fixture.identity.execute(PostgresQuery(unsafeSQL: change))
        #expect(await refusal { try await fixture.redeem(code, proof.verifier, client: Self.client) } == reason)
        #expect(await refusal { try await fixture.refresh(token, client: Self.client) } == reason)
        #expect(await refusal { try await fixture.code(who, challenge: proof.challenge) } == reason)
        // A refused refresh is no use of the token: nothing has moved on.
        #expect(try await fixture.identity.count("refresh_families", where: "number = 1 AND revoked_at IS NULL") == 1)
    }

    @Test("ID-25: what changes while a token is being issued waits for it, and what has changed is seen")
    func lock() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let proof = ProviderFixture.proofKey()
        let code = try await fixture.code(who, challenge: proof.challenge)
        // The change is under way when the code is shown, and commits before the answer.
        let database = fixture.identity.database
        let connection = try await PostgresConnection.connect(PostgresConfiguration(url: database.superuserURL))
        let (begun, finish) = (Gate(), Gate())
        async let change: Void = connection.withSession { session in
            defer { begun.signal() }
            try session.transaction { session in
                try session.execute("UPDATE users SET credential_generation = 2 WHERE id = \(who.user)")
                begun.signal()
                finish.wait()
            }
        }
        #expect(try await eventually { begun.isSet })
        async let redeemed = refusal { try await fixture.redeem(code, proof.verifier, client: Self.client) }
        #expect(try await eventuallyWaiting(fixture))
        finish.signal()
        try await change
        #expect(await redeemed == .generationChanged)
        await connection.close()
    }

    private func eventuallyWaiting(_ fixture: ProviderFixture) async throws -> Bool {
        let name = fixture.identity.database.name
        return try await eventually {
            try await fixture.identity.count("pg_stat_activity", where: "datname = '\(name)' AND wait_event_type = 'Lock'") > 0
        }
    }

    @Test("a session of another user gives nothing")
    func foreignSession() async throws {
        let fixture = try await Self.fixture()
        let (one, other) = (try await fixture.signIn(), try await fixture.signIn())
        let mixed = ProviderFixture.SignedIn(user: one.user, session: other.session, authentication: one.authentication)
        #expect(await refusal { try await fixture.code(mixed, challenge: ProviderFixture.proofKey().challenge) } == .sessionEnded)
    }

    @Test("staff's tokens carry their roles and nothing of a customer's; who has lost the role gets none")
    func staff() async throws {
        let fixture = try await ProviderFixture()
        let client = ProviderFixture.client("backoffice", scopes: ["openid", "offline_access", "ledger:operate"])
        try await fixture.register(client)
        let who = try await fixture.signIn(roles: ["support"])
        let body = try await fixture.tokens(who, client: client, scopes: ["openid", "offline_access", "ledger:operate"])
        let access = try await fixture.provider.verifiers.verify(body.accessToken, audience: "florin-api", now: fixture.clock.seconds)
        #expect(access.scopes == ["ledger:operate"] && access.roles == ["support"])
        #expect(body.idToken != nil)
        try await fixture.identity.execute("DELETE FROM user_roles")
        #expect(await refusal { try await fixture.refresh(try #require(body.refreshToken), client: client) } == .scopeNotGranted)
        let customer = try await fixture.signIn()
        #expect(
            await refusal {
                try await fixture.code(
                    customer, client: "backoffice", scopes: ["openid", "ledger:operate"], challenge: ProviderFixture.proofKey().challenge)
            }
                == .scopeNotGranted)
    }
}
