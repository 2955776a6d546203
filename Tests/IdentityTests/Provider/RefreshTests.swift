import AccessTokens
import Contracts
import Foundation
import Observability
import Postgres
import StrictJSON
import TestSupport
import Testing

@testable import Identity

@Suite("Refresh tokens")
struct RefreshTests {
    private static let client = ProviderFixture.client()

    private static func fixture(connections: Int = 8) async throws -> ProviderFixture {
        let fixture = try await ProviderFixture(connections: connections)
        try await fixture.register(client)
        return fixture
    }

    private static func first(_ fixture: ProviderFixture) async throws -> String {
        try #require(try await fixture.tokens(client: client).refreshToken)
    }

    private static func next(_ token: String, _ fixture: ProviderFixture) async throws -> String {
        try #require(try await fixture.refresh(token, client: client).refreshToken)
    }

    @Test("a token is spelled in one way")
    func text() {
        let token = RefreshToken(family: UUID(), number: 0x0102_0304)
        #expect(
            RefreshToken(token.text).map { [$0.family.uuidString, "\($0.number)", $0.secret.text] }
                == [token.family.uuidString, "16909060", token.secret.text])
        for bad in ["", "frt_", String(token.text.dropLast()), token.text + "A", "x" + token.text.dropFirst(), token.text + "="] {
            #expect(RefreshToken(bad) == nil)
        }
        #expect(!"\(token) \(String(reflecting: token))".contains(token.secret.text))
    }

    @Test("each token has one successor, which replaces it")
    func rotation() async throws {
        let fixture = try await Self.fixture()
        let first = try await Self.first(fixture)
        let second = try await Self.next(first, fixture)
        let third = try await Self.next(second, fixture)
        #expect(Set([first, second, third]).count == 3)
        #expect(try await fixture.identity.count("refresh_families", where: "number = 3 AND revoked_at IS NULL") == 1)
    }

    @Test("a refresh is a use of its session and device, noted once a minute, however often they are refreshed")
    func noted() async throws {
        let fixture = try await Self.fixture()
        var token = try await Self.first(fixture)
        for seconds in [0, 0, 100, 100] {
            for table in ["sessions", "devices"] {
                #expect(try await fixture.identity.count(table, where: "last_used_at = created_at + interval '\(seconds) seconds'") == 1)
            }
            fixture.clock.advance(by: .seconds(50))
            token = try await Self.next(token, fixture)
        }
    }

    @Test("a lost answer: a repeat within 10 seconds gets the same successor and a new access token")
    func grace() async throws {
        let fixture = try await Self.fixture()
        let first = try await Self.first(fixture)
        let answer = try await fixture.refresh(first, client: Self.client)
        fixture.clock.advance(by: .milliseconds(9_999))
        let again = try await fixture.refresh(first, client: Self.client)
        #expect(again.refreshToken == answer.refreshToken && again.accessToken != answer.accessToken)
        _ = try await Self.next(try #require(again.refreshToken), fixture)
    }

    @Test("a repeat after 10 seconds is theft and revokes the family")
    func late() async throws {
        let fixture = try await Self.fixture()
        let first = try await Self.first(fixture)
        let second = try await Self.next(first, fixture)
        fixture.clock.advance(by: .seconds(10))
        #expect(await refusal { try await fixture.refresh(first, client: Self.client) } == .refreshStolen)
        #expect(await refusal { try await fixture.refresh(second, client: Self.client) } == .refreshRevoked)
        #expect(try await fixture.identity.count("refresh_families", where: "revoke_reason = 'theft' AND sealed_successor IS NULL") == 1)
        // The session has ended, so access tokens that the thief may have got are refused wherever its end is known.
        #expect(try await fixture.identity.count("sessions", where: "end_reason = 'theft'") == 1)
        #expect(try await fixture.identity.events().map(\.type) == ["identity.session.revoked.v1"])
        #expect(await refusal { try await fixture.refresh(first, client: Self.client) } == .refreshRevoked)
        #expect(try await fixture.identity.events().count == 1)
    }

    @Test("a repeat after the successor was used is theft, however soon")
    func used() async throws {
        let fixture = try await Self.fixture()
        let first = try await Self.first(fixture)
        let second = try await Self.next(first, fixture)
        let third = try await Self.next(second, fixture)
        #expect(await refusal { try await fixture.refresh(first, client: Self.client) } == .refreshStolen)
        #expect(await refusal { try await fixture.refresh(third, client: Self.client) } == .refreshRevoked)
    }

    @Test("a made-up token revokes nothing: neither with another secret, nor of another client, nor of the future")
    func forged() async throws {
        let fixture = try await Self.fixture()
        let other = ProviderFixture.client("rp-2")
        try await fixture.register(other)
        let second = try await Self.next(try await Self.first(fixture), fixture)
        let token = try #require(RefreshToken(second))
        // Also when a repeat would be theft: whoever knows the family's id alone can't end it.
        for wait in [Duration.zero, RefreshFamily.grace] {
            fixture.clock.advance(by: wait)
            for forged: (Int64, OpaqueSecret) in [(2, .random()), (1, .random()), (3, token.secret), (3, .random())] {
                let text = RefreshToken(family: token.family, number: forged.0, secret: forged.1).text
                #expect(await refusal { try await fixture.refresh(text, client: Self.client) } == .refreshUnknown)
            }
        }
        #expect(await refusal { try await fixture.refresh(second, client: other) } == .refreshUnknown)
        #expect(await refusal { try await fixture.refresh(RefreshToken(family: UUID(), number: 1).text, client: Self.client) } == .refreshUnknown)
        #expect(await refusal { try await fixture.refresh("frt_x", client: Self.client) } == .refreshUnknown)
        _ = try await Self.next(second, fixture)
    }

    @Test("64 who refresh at once get one successor between them")
    func race() async throws {
        let fixture = try await Self.fixture()
        let first = try await Self.first(fixture)
        let successors = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<64 { group.addTask { try await Self.next(first, fixture) } }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(successors.count == 64 && Set(successors).count == 1)
        #expect(try await fixture.identity.count("refresh_families", where: "number = 2 AND revoked_at IS NULL") == 1)
        _ = try await Self.next(successors[0], fixture)
    }

    @Test("connections that are killed at whatever step of a rotation lose no token, and nobody is taken for a thief")
    func killed() async throws {
        let fixture = try await Self.fixture()
        var token = try await Self.first(fixture)
        try await fixture.identity.database.whileConnectionsEnd {
            var cuts = 0
            while cuts < 25 {
                // Who got no answer asks again with what they have.
                do { token = try await Self.next(token, fixture) } catch let error as PostgresError where error.isOutage { cuts += 1 }
            }
        }
        let last = try await eventually {
            do { return try await RefreshToken(Self.next(token, fixture)) != nil } catch let error as PostgresError where error.isOutage {
                return false
            }
        }
        #expect(last)
        #expect(try await fixture.identity.count("refresh_families", where: "revoked_at IS NULL") == 1)
    }

    @Test("64 who refresh at once through PgBouncer get one successor between them")
    func pooled() async throws {
        let fixture = try await ProviderFixture(isPooled: true)
        try await fixture.register(Self.client)
        let first = try await Self.first(fixture)
        let successors = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<64 { group.addTask { try await Self.next(first, fixture) } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(successors.count == 1)
    }

    @Test("ID-26: auth_time, nonce and the sign-in stay what they were, and iat is new")
    func authTime() async throws {
        let fixture = try await Self.fixture()
        let first = try await fixture.tokens(client: Self.client)
        let claims = try ProviderFixture.parts(try #require(first.idToken)).claims
        var token = try #require(first.refreshToken)
        for _ in 0..<2 {
            fixture.clock.advance(by: .seconds(3))
            let body = try await fixture.refresh(token, client: Self.client)
            token = try #require(body.refreshToken)
            let later = try ProviderFixture.parts(try #require(body.idToken)).claims
            for name in ["iss", "sub", "aud", "auth_time", "acr", "amr", "sid"] { #expect(later[name] == claims[name] && later[name] != nil) }
            #expect(later["nonce"] == nil && (later["iat"]?.integerValue ?? 0) > (claims["iat"]?.integerValue ?? 0))
        }
    }

    @Test("ID-26: no more than was granted, and less of it narrows one access token")
    func scope() async throws {
        let fixture = try await Self.fixture()
        let first = try await Self.first(fixture)
        #expect(await refusal { try await fixture.refresh(first, scope: "openid admin", client: Self.client) } == .scopeNotGranted)
        #expect(await refusal { try await fixture.refresh(first, scope: "a  b", client: Self.client) } == .scopeMalformed)
        let narrow = try await fixture.refresh(first, scope: "wallet", client: Self.client)
        #expect(narrow.scope == "wallet" && narrow.idToken == nil)
        let wide = try await fixture.refresh(try #require(narrow.refreshToken), client: Self.client)
        #expect(wide.scope == "openid offline_access wallet")
    }

    @Test("a family ends 14 days after its last use, and after 90 days whatever is done")
    func lifetimes() async throws {
        let fixture = try await Self.fixture()
        let idle = try await Self.first(fixture)
        // The session must outlive it here.
        try await fixture.identity.execute("UPDATE sessions SET expires_at = expires_at + interval '1 year'")
        fixture.clock.advance(by: .seconds(14 * 86_400))
        #expect(await refusal { try await fixture.refresh(idle, client: Self.client) } == .refreshExpired)
        var token = try await Self.first(fixture)
        try await fixture.identity.execute("UPDATE sessions SET expires_at = expires_at + interval '1 year'")
        for _ in 0..<8 {
            fixture.clock.advance(by: .seconds(11 * 86_400))
            token = try await Self.next(token, fixture)
        }
        fixture.clock.advance(by: .seconds(2 * 86_400))
        #expect(await refusal { try await fixture.refresh(token, client: Self.client) } == .refreshExpired)
    }

    @Test("ID-30: 10 000 refreshes leave as many rows as one, and the first token is still known for what it is")
    func rows() async throws {
        let fixture = try await Self.fixture()
        let first = try await Self.first(fixture)
        var token = first
        for _ in 0..<10_000 { token = try await Self.next(token, fixture) }
        for table in ["refresh_families", "authorization_codes", "sessions", "outbox_events"] {
            #expect(try await fixture.identity.count(table) <= 1, "\(table)")
        }
        // Most new versions of the row stay in its page: all of them would fill some 700.
        let pages = try await fixture.identity.query("SELECT pg_relation_size('refresh_families') / 8192") { row in try row.decode(Int64.self) }
        #expect(pages[0] <= 200)
        #expect(await refusal { try await fixture.refresh(first, client: Self.client) } == .refreshStolen)
    }

    @Test("a session that is refreshed is a session that is used")
    func use() async throws {
        let fixture = try await Self.fixture()
        try await fixture.identity.execute("ALTER TABLE sessions ALTER unused_seconds SET DEFAULT 3600")
        var token = try await Self.first(fixture)
        for _ in 0..<3 {
            fixture.clock.advance(by: .seconds(3_000))
            token = try await Self.next(token, fixture)
        }
        fixture.clock.advance(by: .seconds(3_600))
        #expect(await refusal { try await fixture.refresh(token, client: Self.client) } == .sessionEnded)
    }

    @Test("the successor that the database keeps opens with the token before it and no other")
    func sealed() throws {
        let token = RefreshToken(family: UUID(), number: 7)
        let successor = token.successor()
        let sealed = try token.seal(successor)
        #expect(token.open(sealed)?.text == successor.text)
        #expect(RefreshToken(family: token.family, number: 7).open(sealed) == nil)
        #expect(RefreshToken(family: UUID(), number: 7, secret: token.secret).open(sealed) == nil)
        #expect(RefreshToken(family: token.family, number: 8, secret: token.secret).open(sealed) == nil)
    }
}
