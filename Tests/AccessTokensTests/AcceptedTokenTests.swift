import AccessTokens
import Foundation
import Testing

@Suite struct AcceptedTokenTests {
    private let forge = TokenForge()

    @Test func `a user's token yields everything it says`() async throws {
        let token = try await forge.verifier().verify(forge.token(), now: TokenForge.now)
        #expect(token.issuer == TokenForge.issuer)
        #expect(token.principal == .user(TokenForge.user))
        #expect(token.principal.description == "user:\(TokenForge.user)")
        #expect(token.clientID == "mobile")
        #expect(token.scopes == ["wallet", "profile"])
        #expect(token.hasScope("wallet"))
        #expect(!token.hasScope("wal"))
        #expect(token.roles.isEmpty)
        #expect(token.authenticationContext == "urn:florin:acr:mfa")
        #expect(token.authenticatedAt == TokenForge.now - 60)
        #expect(token.sessionID == "ses_1")
        #expect(token.issuedAt == TokenForge.now - 1)
        #expect(token.expiresAt == TokenForge.now + 300)
        #expect(token.tokenID == "token-1")
    }

    @Test func `a client's token stands for the client, among several audiences`() async throws {
        let token = try await forge.verifier().verify(forge.token(claims: TokenForge.clientClaims), now: TokenForge.now)
        #expect(token.principal == .client("acme"))
        #expect(token.principal.description == "client:acme")
        #expect(token.scopes == ["ledger:read", "ledger:write"])
        #expect(token.authenticatedAt == nil)
    }

    @Test(
        "a member of staff may operate services with a role, whichever they are",
        arguments: ["ledger:operate", "risk:operate", "ledger:operate risk:operate", "fx:operate"])
    func staff(scope: String) async throws {
        let claims = TokenForge.userClaims.merging(["scope": scope, "roles": ["operator"]]) { $1 }
        let token = try await forge.verifier().verify(forge.token(claims: claims), now: TokenForge.now)
        #expect(token.principal == .user(TokenForge.user))
        #expect(token.roles == ["operator"])
    }

    @Test(
        "the type's case and its application/ don't matter",
        arguments: ["at+jwt", "at+JWT", "AT+JWT", "application/at+jwt", "Application/At+Jwt", "APPLICATION/AT+JWT"])
    func typeNames(type: String) async throws {
        let header = TokenForge.header.merging(["typ": type]) { $1 }
        let token = try await forge.verifier().verify(forge.token(header: header), now: TokenForge.now)
        #expect(token.principal == .user(TokenForge.user))
    }

    @Test func `a token without scope has none`() async throws {
        var claims = TokenForge.userClaims
        claims["scope"] = nil
        #expect(try await forge.verifier().verify(forge.token(claims: claims), now: TokenForge.now).scopes.isEmpty)
    }

    @Test func `the twin of a signature makes a second text of the same token`() async throws {
        let order: [UInt8] = [
            0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6, 0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84,
            0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
        ]
        let first = try forge.token()
        let parts = first.split(separator: ".")
        let signature = try #require(Data(base64Encoded: parts[2].replacing("-", with: "+").replacing("_", with: "/") + "=="))
        var twin = Array(signature)
        var borrow = 0
        for index in order.indices.reversed() {
            let difference = Int(order[index]) - Int(twin[32 + index]) - borrow
            twin[32 + index] = UInt8(truncatingIfNeeded: difference)
            borrow = difference < 0 ? 1 : 0
        }
        let second = "\(parts[0]).\(parts[1]).\(TokenForge.encode(Data(twin)))"
        let verifier = try forge.verifier()
        #expect(try await verifier.verify(first, now: TokenForge.now) == verifier.verify(second, now: TokenForge.now))
        #expect(second != first && verifier.cachedTokenCount == 2)
    }

    @Test func `clocks may differ by the leeway and no more`() async throws {
        let verifier = try forge.verifier()
        let claims = TokenForge.userClaims.merging(["iat": TokenForge.now, "exp": TokenForge.now + 100]) { $1 }
        let token = try forge.token(claims: claims)
        _ = try await verifier.verify(token, now: TokenForge.now - AccessTokenPolicy.leeway)
        _ = try await verifier.verify(token, now: TokenForge.now + 99 + AccessTokenPolicy.leeway)
        await #expect(throws: TokenRejection.invalid(.time)) {
            try await verifier.verify(token, now: TokenForge.now - AccessTokenPolicy.leeway - 1)
        }
        await #expect(throws: TokenRejection.expired) {
            try await verifier.verify(token, now: TokenForge.now + 100 + AccessTokenPolicy.leeway)
        }
    }

    @Test(arguments: ["Bearer ", "bearer ", "BEARER   "])
    func `the scheme of the authorization field has no case`(scheme: String) async throws {
        let verifier = try forge.verifier()
        let field = try scheme + forge.token()
        #expect(verifier.cached(authorizationHeader: field, now: TokenForge.now) == nil)
        let token = try await verifier.authenticate(authorizationHeader: field, now: TokenForge.now)
        #expect(token.principal == .user(TokenForge.user))
        #expect(verifier.cached(authorizationHeader: field, now: TokenForge.now) == token)
    }

    @Test(arguments: [nil, "", "Bearer", "Basic YTpi", "Bearerx abc", "DPoP abc"])
    func `a field without a bearer token has none`(field: String?) async throws {
        let verifier = try forge.verifier()
        await #expect(throws: TokenRejection.missing) {
            try await verifier.authenticate(authorizationHeader: field, now: TokenForge.now)
        }
    }

    @Test func `every rejection has its stable code`() {
        #expect(TokenRejection.missing.code == "token_missing")
        #expect(TokenRejection.malformed.code == "token_invalid")
        for reason in TokenRejection.Reason.allCases {
            #expect(TokenRejection.invalid(reason).code == "token_invalid")
        }
        #expect(TokenRejection.expired.code == "token_expired")
        #expect(TokenRejection.keysUnavailable.code == "unavailable")
    }
}
