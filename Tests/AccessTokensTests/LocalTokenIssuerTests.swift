import AccessTokens
import Foundation
import Testing

@Suite struct LocalTokenIssuerTests {
    private let now = TokenForge.now
    private let policy = AccessTokenPolicy(issuer: LocalTokenIssuer.defaultIssuer, audience: LocalTokenIssuer.defaultAudience)

    @Test func `its tokens pass a verifier that reads its key set file`() async throws {
        try await withTemporaryDirectory { directory in
            _ = try LocalTokenIssuer.create(directory: "\(directory)/issuer", environment: "local")
            let issuer = try LocalTokenIssuer(directory: "\(directory)/issuer", environment: "local")
            let keys = JSONWebKeySet(file: LocalTokenIssuer.keySetPath(in: "\(directory)/issuer"))
            let verifier = AccessTokenVerifier(policy: policy, keys: keys)
            let text = try await issuer.token(
                for: .user(TokenForge.user), scopes: ["wallet", "profile"], authenticationContext: "urn:florin:acr:mfa", authenticatedAt: now - 5,
                sessionID: "ses_1", tokenID: "jti-1", now: now)
            let expected = AccessToken(
                issuer: LocalTokenIssuer.defaultIssuer, principal: .user(TokenForge.user), clientID: LocalTokenIssuer.defaultUserClientID,
                scopes: ["wallet", "profile"], authenticationContext: "urn:florin:acr:mfa", authenticatedAt: now - 5, sessionID: "ses_1",
                issuedAt: now, expiresAt: now + LocalTokenIssuer.defaultLifetime, tokenID: "jti-1")
            #expect(try await verifier.verify(text, now: now) == expected)

            let client = try await issuer.token(for: .client("acme"), clientID: "ignored", scopes: ["ledger:fund"], lifetime: 60, now: now)
            let token = try await verifier.verify(client, now: now)
            #expect(token.principal == .client("acme"))
            #expect(token.clientID == "acme")
            #expect(token.expiresAt == now + 60)
        }
    }

    @Test func `the private key is for its owner only, and creating again keeps it`() async throws {
        try await withTemporaryDirectory { directory in
            let first = try LocalTokenIssuer.create(directory: directory, environment: "staging")
            let path = "\(directory)/\(LocalTokenIssuer.privateKeyFileName)"
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber
            #expect(mode?.intValue == 0o600)
            let second = try LocalTokenIssuer.create(directory: directory, environment: "staging")
            #expect(first.keyID == second.keyID)
            let files = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            #expect(files == [LocalTokenIssuer.privateKeyFileName, LocalTokenIssuer.keySetFileName])
            let document = try String(contentsOfFile: LocalTokenIssuer.keySetPath(in: directory), encoding: .utf8)
            #expect(!document.contains(#""d""#))
        }
    }

    @Test(arguments: ["production", "Production", "prod", "", "LOCAL"])
    func `it can't be made where it was not asked for`(environment: String) async throws {
        try await withTemporaryDirectory { directory in
            #expect(throws: LocalTokenIssuerError.environmentNotAllowed) { try LocalTokenIssuer(environment: environment) }
            #expect(throws: LocalTokenIssuerError.environmentNotAllowed) {
                try LocalTokenIssuer.create(directory: directory, environment: environment)
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).isEmpty)
            _ = try LocalTokenIssuer.create(directory: directory, environment: "local")
            #expect(throws: LocalTokenIssuerError.environmentNotAllowed) {
                try LocalTokenIssuer(directory: directory, environment: environment)
            }
        }
    }

    @Test func `an empty directory and a broken key are named`() async throws {
        try await withTemporaryDirectory { directory in
            #expect(throws: LocalTokenIssuerError.notInitialised(directory: directory)) {
                try LocalTokenIssuer(directory: directory, environment: "local")
            }
            let path = "\(directory)/\(LocalTokenIssuer.privateKeyFileName)"
            try Data("secret".utf8).write(to: URL(fileURLWithPath: path))
            #expect(throws: LocalTokenIssuerError.unusableKey(path: path)) {
                try LocalTokenIssuer.create(directory: directory, environment: "local")
            }
        }
    }

    @Test(arguments: [0, -1, LocalTokenIssuer.maximumLifetime + 1])
    func `a lifetime out of range is refused`(lifetime: Int64) async throws {
        let issuer = try LocalTokenIssuer(environment: "local")
        await #expect(throws: LocalTokenIssuerError.lifetimeOutOfRange) {
            try await issuer.token(for: .client("acme"), lifetime: lifetime, now: now)
        }
    }

    @Test func `one key set can hold the keys of several issuers`() async throws {
        let issuers = try (0..<3).map { _ in try LocalTokenIssuer(environment: "local") }
        let document = LocalTokenIssuer.keySetDocument(of: issuers)
        let verifier = AccessTokenVerifier(policy: policy, keys: JSONWebKeySet { document })
        for issuer in issuers {
            let token = try await verifier.verify(issuer.token(for: .client("acme"), now: now), now: now)
            #expect(token.principal == .client("acme"))
        }
    }
}
