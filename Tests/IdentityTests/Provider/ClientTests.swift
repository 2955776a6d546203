import AccessTokens
import Contracts
import Foundation
import HTTPService
import Postgres
import Testing

@testable import Identity

@Suite("Clients")
struct ClientTests {
    private static func verify(_ fixture: ProviderFixture, _ id: String, _ secret: String?) async throws -> String? {
        try await VerifyClient(pool: fixture.pool, now: fixture.now)(ClientCredentials(id: id, secret: secret))?.id
    }

    @Test("a confidential client is known by its secret, a public one by its name, and a disabled one not at all")
    func verification() async throws {
        let fixture = try await ProviderFixture()
        let secret = try #require(try await fixture.register(ProviderFixture.client()))
        let app = ProviderFixture.client("app", isConfidential: false)
        #expect(try await fixture.register(app) == nil)
        #expect(try await Self.verify(fixture, "rp-1", secret) == "rp-1")
        #expect(try await Self.verify(fixture, "rp-1", nil) == nil)
        #expect(try await Self.verify(fixture, "rp-1", OpaqueSecret.random().text) == nil)
        #expect(try await Self.verify(fixture, "rp-1", "") == nil)
        #expect(try await Self.verify(fixture, "app", nil) == "app")
        #expect(try await Self.verify(fixture, "app", "x") == nil)
        for unknown in ["nobody", "", "RP-1", "rp-1\0", "usr_1", String(repeating: "a", count: 5_000), "ø"] {
            #expect(try await Self.verify(fixture, unknown, secret) == nil)
        }
        let disable = DisableClient(pool: fixture.pool, now: fixture.now)
        try await disable("rp-1", isDisabled: true)
        #expect(try await Self.verify(fixture, "rp-1", secret) == nil)
        try await disable("rp-1", isDisabled: false)
        #expect(try await Self.verify(fixture, "rp-1", secret) == "rp-1")
        await #expect(throws: ClientRegistrationFault.self) { try await disable("nobody", isDisabled: true) }
    }

    @Test("a new secret and the one before are good together until the overlap has passed, and no third one")
    func rotation() async throws {
        let fixture = try await ProviderFixture()
        let first = try #require(try await fixture.register(ProviderFixture.client()))
        let rotate = RotateClientSecret(pool: fixture.pool, now: fixture.now)
        fixture.clock.advance(by: .seconds(10))
        let second = try await rotate("rp-1", overlap: .seconds(3_600))
        for secret in [first, second] { #expect(try await Self.verify(fixture, "rp-1", secret) == "rp-1") }
        fixture.clock.advance(by: .seconds(10))
        let third = try await rotate("rp-1", overlap: .seconds(3_600))
        #expect(try await Self.verify(fixture, "rp-1", first) == nil)
        for secret in [second, third] { #expect(try await Self.verify(fixture, "rp-1", secret) == "rp-1") }
        fixture.clock.advance(by: .seconds(3_600))
        #expect(try await Self.verify(fixture, "rp-1", second) == nil)
        #expect(try await Self.verify(fixture, "rp-1", third) == "rp-1")
        let app = ProviderFixture.client("app", isConfidential: false)
        try await fixture.register(app)
        await #expect(throws: ClientRegistrationFault.self) { try await rotate("app", overlap: .zero) }
    }

    @Test("a secret is nowhere in the database but as its hash")
    func hashed() async throws {
        let fixture = try await ProviderFixture()
        let secret = try #require(try await fixture.register(ProviderFixture.client()))
        let hashes = try await fixture.identity.query("SELECT hash FROM client_secrets") { row in try row.decode([UInt8].self) }
        #expect(hashes == [OpaqueSecret(secret)?.hash])
        #expect(secret.utf8.allSatisfy { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8.contains($0) })
    }

    @Test("what can't be a client is refused, and nothing is written")
    func registration() async throws {
        let fixture = try await ProviderFixture()
        let wrong = [
            ProviderFixture.client("usr_1"), ProviderFixture.client("A"), ProviderFixture.client("a b"), ProviderFixture.client("-a"),
            ProviderFixture.client("app", isConfidential: false, grants: [.clientCredentials]), ProviderFixture.client("x1", grants: []),
            ProviderFixture.client("x2", grants: [.refreshToken]), ProviderFixture.client("x3", scopes: ["a b"]),
            ProviderFixture.client("x4", scopes: ["a", "a"]), ProviderFixture.client("x5", isConfidential: false, introspects: "florin-api"),
            ProviderFixture.client("x6", audience: ""),
        ]
        for client in wrong {
            await #expect(throws: ClientRegistrationFault.self, "\(client)") { try await fixture.register(client) }
        }
        #expect(try await fixture.identity.count("clients") == 0)
        try await fixture.register(ProviderFixture.client())
        await #expect(throws: ClientRegistrationFault.self) { try await fixture.register(ProviderFixture.client()) }
        #expect(try await fixture.identity.count("client_secrets") == 1)
    }

    @Test("a machine gets what it asks for of what it is registered for, and its token leaves no row")
    func machine() async throws {
        let fixture = try await ProviderFixture()
        let client = ProviderFixture.client("machine", grants: [.clientCredentials], scopes: ["ledger:read", "ledger:write", "wallet"])
        let issue = IssueClientToken(mint: fixture.mint)
        #expect(try issue(scope: nil, client: client).scope == "ledger:read ledger:write")
        let body = try issue(scope: "ledger:read", client: client)
        #expect(body.refreshToken == nil && body.idToken == nil)
        let token = try await fixture.provider.verifiers.verify(body.accessToken, audience: "florin-api", now: fixture.clock.seconds)
        #expect(token.principal == .client("machine") && token.scopes == ["ledger:read"] && token.sessionID == nil && token.roles.isEmpty)
        for scope in ["wallet", "ledger:read ledger:fund", "openid"] {
            #expect(await refusal { try issue(scope: scope, client: client) } == .scopeNotGranted)
        }
        #expect(await refusal { try issue(scope: "a  b", client: client) } == .scopeMalformed)
        #expect(try await fixture.identity.count("refresh_families") == 0)
    }
}
