import AccessTokens
import Contracts
import Foundation
import Outbox
import Postgres
import ServiceDatabase
import Testing

@testable import Identity

/// What a token shows to whom; tokens are verified by `AudienceVerifiers`.
@Suite("Introspection, revocation and userinfo")
struct IntrospectionTests {
    private static let client = ProviderFixture.client()
    private static let other = ProviderFixture.client("rp-2")
    /// Serves the audience of everybody's tokens.
    private static let resource = ProviderFixture.client(
        "resource", grants: [.clientCredentials], scopes: ["ledger:read"], audience: "resource-api", introspects: "florin-api")

    private static func fixture() async throws -> ProviderFixture {
        let fixture = try await ProviderFixture()
        for client in [client, other, resource] { try await fixture.register(client) }
        return fixture
    }

    @Test("ID-27: a token is shown to the client that it was issued to and to who serves its audience, and to nobody else")
    func visibility() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let body = try await fixture.tokens(who, client: Self.client)
        for caller in [Self.client, Self.resource] {
            let token = try #require(try await fixture.introspect(body.accessToken, by: caller).token)
            #expect(token.clientID == "rp-1" && token.subject == UserID(who.user).description && token.audience == "florin-api")
            #expect(token.scope == "offline_access openid wallet" && token.sessionID == SessionID(who.session).description)
        }
        #expect(try await fixture.introspect(body.accessToken, by: Self.other) == .inactive)
        // A refresh token is nobody's business but its client's.
        let refresh = try #require(body.refreshToken)
        #expect(try await fixture.introspect(refresh, by: Self.client).token?.clientID == "rp-1")
        for caller in [Self.other, Self.resource] { #expect(try await fixture.introspect(refresh, by: caller) == .inactive) }
    }

    @Test("ID-27: what is expired, unknown, malformed or no access token is never active")
    func inactive() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let proof = ProviderFixture.proofKey()
        let code = try await fixture.code(who, challenge: proof.challenge)
        let body = try await fixture.tokens(who, client: Self.client)
        let garbage = ["x", "", "a.b.c", code, try #require(body.idToken), String(body.accessToken.dropLast(2)) + "AA", "frt_x"]
        for text in garbage {
            for caller in [Self.client, Self.resource] { #expect(try await fixture.introspect(text, by: caller) == .inactive, "\(text)") }
        }
        let next = try await fixture.refresh(try #require(body.refreshToken), client: Self.client)
        #expect(try await fixture.introspect(try #require(body.refreshToken), by: Self.client) == .inactive)
        fixture.clock.advance(by: .seconds(299))
        #expect(try await fixture.introspect(next.accessToken, by: Self.resource).token != nil)
        fixture.clock.advance(by: .seconds(1))
        #expect(try await fixture.introspect(next.accessToken, by: Self.resource) == .inactive)
    }

    @Test(
        "ID-25: a token is not active any more once its user or client is disabled, the credentials change, or the session ends",
        arguments: [
            "UPDATE users SET status = 'disabled'", "UPDATE users SET credential_generation = 2",
            "UPDATE sessions SET ended_at = now(), end_reason = 'ended_by_user'", "UPDATE clients SET disabled_at = now() WHERE id = 'rp-1'",
        ])
    func ended(change: String) async throws {
        let fixture = try await Self.fixture()
        let body = try await fixture.tokens(client: Self.client)
        let describe = DescribeUser(pool: fixture.pool, gate: fixture.provider.gate)
        let token = try await fixture.provider.verifiers.verify(body.accessToken, audience: ProviderFixture.issuer, now: fixture.clock.seconds)
        _ = try await describe(token)
        try await fixture.identity.execute(PostgresQuery(unsafeSQL: change))
        #expect(try await fixture.introspect(body.accessToken, by: Self.resource) == .inactive)
        #expect(try await fixture.introspect(try #require(body.refreshToken), by: Self.client) == .inactive)
        await #expect { try await describe(token) } throws: { ($0 as? Problem)?.code == .tokenInvalid }
    }

    @Test("a request waits for the database until its deadline, and no longer")
    func deadline() async throws {
        let fixture = try await Self.fixture()
        let body = try await fixture.tokens(client: Self.client)
        let token = try await fixture.provider.verifiers.verify(body.accessToken, audience: ProviderFixture.issuer, now: fixture.clock.seconds)
        let refresh = try #require(body.refreshToken)
        let introspect = IntrospectToken(
            pool: fixture.pool, gate: fixture.provider.gate, verifiers: fixture.provider.verifiers, issuer: ProviderFixture.issuer, now: fixture.now)
        for text in [body.accessToken, refresh] {
            await #expect(throws: PostgresError.self) { try await introspect(text, by: Self.client, until: .now) }
        }
        await #expect(throws: PostgresError.self) {
            try await DescribeUser(pool: fixture.pool, gate: fixture.provider.gate)(token, until: .now)
        }
        await #expect(throws: PostgresError.self) {
            try await RevokeToken(pool: fixture.pool, now: fixture.now)(refresh, by: Self.client, until: .now)
        }
    }

    @Test("a machine's token is active until the client is disabled")
    func machine() async throws {
        let fixture = try await Self.fixture()
        let token = try IssueClientToken(mint: fixture.mint)(scope: nil, client: Self.resource).accessToken
        let seen = try #require(try await fixture.introspect(token, by: Self.resource).token)
        #expect(seen.subject == "resource" && seen.audience == "resource-api")
        try await DisableClient(pool: fixture.pool, now: fixture.now)("resource", isDisabled: true)
        #expect(try await fixture.introspect(token, by: Self.resource) == .inactive)
    }

    @Test("a client revokes its own refresh token and all of its family, and nobody else's")
    func revocation() async throws {
        let fixture = try await Self.fixture()
        let revoke = RevokeToken(pool: fixture.pool, now: fixture.now)
        let first = try #require(try await fixture.tokens(client: Self.client).refreshToken)
        let second = try #require(try await fixture.refresh(first, client: Self.client).refreshToken)
        let forged = RefreshToken(family: try #require(RefreshToken(second)).family, number: 2).text
        try await revoke(second, by: Self.other)
        for text in [forged, "x", "frt_x", RefreshToken(family: UUID(), number: 1).text] { try await revoke(text, by: Self.client) }
        #expect(try await fixture.introspect(second, by: Self.client).token != nil)
        // The one before is as good for this as the present one.
        try await revoke(first, by: Self.client)
        #expect(await refusal { try await fixture.refresh(second, client: Self.client) } == .refreshRevoked)
        try await revoke(second, by: Self.client)
        #expect(try await fixture.identity.count("refresh_families", where: "revoke_reason = 'revoked'") == 1)
    }

    @Test("userinfo says what the scopes let the client know")
    func userInfo() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let describe = DescribeUser(pool: fixture.pool, gate: fixture.provider.gate)
        func info(_ scopes: [String], audience: String = ProviderFixture.issuer) async throws -> UserInfoBody {
            let body = try await fixture.tokens(who, client: Self.client, scopes: scopes)
            return try await describe(
                try await fixture.provider.verifiers.verify(body.accessToken, audience: audience, now: fixture.clock.seconds))
        }
        let subject = UserID(who.user).description
        #expect(try await info(["openid"]) == UserInfoBody(subject: subject))
        let all = try await info(["openid", "profile", "email"])
        #expect(all.name == "Ana Example" && all.locale == "en" && all.email?.hasSuffix("@example.com") == true)
        await #expect { _ = try await info(["wallet"], audience: "florin-api") } throws: { ($0 as? Problem)?.code == .insufficientScope }
    }

    @Test("ID-30: what has ended is deleted in bounded batches, and nothing that lives")
    func purge() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        for _ in 0..<5 { _ = try await fixture.tokens(who, client: Self.client) }
        let living = try #require(try await fixture.tokens(who, client: Self.client).refreshToken)
        let family = try #require(RefreshToken(living)).family
        let now = fixture.now
        func purge(_ limit: Int32) async throws -> (codes: Int, families: Int) {
            try await fixture.pool.withTransaction { session in
                let codes = try ExpiringRows.authorizationCodes.purge(session, at: now(), atMost: limit)
                let families = try [ExpiringRows.expiredFamilies, .revokedFamilies].map { try $0.purge(session, at: now(), atMost: limit) }
                return (codes, families.reduce(0, +))
            }
        }
        #expect(try await purge(100) == (0, 0))
        try await fixture.identity.execute(
            "UPDATE refresh_families SET revoked_at = \(fixture.clock.now.stored), revoke_reason = 'revoked' WHERE id <> \(family)")
        fixture.clock.advance(by: .seconds(86_400))
        #expect(try await purge(100) == (6, 0))
        fixture.clock.advance(by: .seconds(1))
        #expect(try await purge(3) == (0, 3))
        #expect(try await purge(3) == (0, 2))
        #expect(try await purge(3) == (0, 0))
        #expect(try await fixture.identity.count("refresh_families") == 1)
        fixture.clock.advance(by: .seconds(91 * 86_400))
        #expect(try await purge(3) == (0, 1))
    }

    @Test("ID-28: an ID token of ours is a hint long after it expired; nothing else is one")
    func hint() async throws {
        let fixture = try await Self.fixture()
        let who = try await fixture.signIn()
        let body = try await fixture.tokens(who, client: Self.client)
        let token = try #require(body.idToken)
        let read = fixture.provider.readHint
        let expected = IDTokenHint(client: "rp-1", user: UserID(who.user), session: SessionID(who.session))
        #expect(read(token) == expected)
        fixture.clock.advance(by: .seconds(31 * 86_400))
        try await fixture.provider.keys.refresh()
        #expect(read(token) == expected)
        let parts = token.split(separator: ".").map(String.init)
        let none = Base64URL.encode(Array(#"{"alg":"none","typ":"JWT"}"#.utf8))
        let hmac = Base64URL.encode(
            Array(
                String(decoding: try #require(Base64URL.decode(Array(parts[0].utf8))), as: UTF8.self)
                    .replacing("ES256", with: "HS256").utf8))
        let claims = Base64URL.encode(
            Array(
                String(decoding: try #require(Base64URL.decode(Array(parts[1].utf8))), as: UTF8.self)
                    .replacing("rp-1", with: "rp-2").utf8))
        for wrong in [
            body.accessToken, "\(none).\(parts[1]).", "\(none).\(parts[1]).\(parts[2])", "\(parts[0]).\(claims).\(parts[2])",
            "\(hmac).\(parts[1]).\(parts[2])",
            "\(parts[0]).\(parts[1]).", "x", "", token + ".x", token + String(repeating: "A", count: 9_000),
        ] { #expect(read(wrong) == nil, "\(wrong.prefix(60))") }
        #expect(ReadIDTokenHint(issuer: "https://other.example", keys: fixture.provider.keys)(token) == nil)
        // A key that was withdrawn vouches for nothing.
        try await RotateSigningKeys(pool: fixture.pool, box: fixture.box, clock: ClockWitness(), now: fixture.now)(.emergency)
        try await fixture.provider.keys.refresh()
        #expect(read(token) == nil)
    }
}
