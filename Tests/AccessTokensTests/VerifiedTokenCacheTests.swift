import AccessTokens
import Testing

@Suite struct VerifiedTokenCacheTests {
    private let forge = TokenForge()
    private let now = TokenForge.now

    private func token(_ number: Int) throws -> String {
        try forge.token(claims: TokenForge.userClaims.merging(["jti": "token-\(number)"]) { $1 })
    }

    @Test func `a verified token is found again, whole or as part of a longer string`() async throws {
        let verifier = try forge.verifier()
        let text = try forge.token()
        #expect(verifier.cached(text, now: now) == nil)
        let token = try await verifier.verify(text, now: now)
        #expect(verifier.cached(text, now: now) == token)
        #expect(verifier.cached("xx\(text)".dropFirst(2), now: now) == token)
        #expect(verifier.cached(String(text.dropLast()), now: now) == nil)
    }

    @Test func `expiry is honoured from memory, to the second`() async throws {
        let verifier = try forge.verifier()
        let text = try forge.token()
        let token = try await verifier.verify(text, now: now)
        let end = token.expiresAt + AccessTokenPolicy.leeway
        #expect(verifier.cached(text, now: end - 1) == token)
        #expect(verifier.cached(text, now: end) == nil)
        #expect(verifier.cachedTokenCount == 0)
        await #expect(throws: TokenRejection.expired) {
            try await verifier.authenticate(authorizationHeader: "Bearer \(text)", now: end)
        }
    }

    @Test(arguments: [1, 2, 16])
    func `the memory is bounded and holds the newest tokens`(capacity: Int) async throws {
        let verifier = try forge.verifier(cacheCapacity: capacity)
        for number in 0..<100 {
            let text = try token(number)
            _ = try await verifier.verify(text, now: now)
            #expect(verifier.cachedTokenCount <= max(capacity, 2))
            #expect(verifier.cached(text, now: now) != nil)
        }
    }

    @Test func `a token in use outlives any number of others`() async throws {
        let verifier = try forge.verifier(cacheCapacity: 8)
        let first = try token(0)
        _ = try await verifier.verify(first, now: now)
        for number in 1..<100 {
            _ = try await verifier.verify(token(number), now: now)
            #expect(verifier.cached(first, now: now) != nil)
        }
    }

    @Test func `a flood of bad tokens pushes no good one out`() async throws {
        let verifier = try forge.verifier(cacheCapacity: 2)
        let good = try forge.token()
        _ = try await verifier.verify(good, now: now)
        let stranger = TokenForge()
        for number in 0..<100 {
            let bad = try stranger.token(claims: TokenForge.userClaims.merging(["jti": "bad-\(number)"]) { $1 })
            await #expect(throws: TokenRejection.invalid(.signature)) { try await verifier.verify(bad, now: now) }
        }
        #expect(verifier.cached(good, now: now) != nil)
        #expect(verifier.cachedTokenCount == 1)
    }

    @Test func `two verifiers with different policies share nothing`() async throws {
        let text = try forge.token()
        let verifier = try forge.verifier()
        let other = try forge.verifier(policy: AccessTokenPolicy(issuer: TokenForge.issuer, audience: "other-api"))
        _ = try await verifier.verify(text, now: now)
        #expect(other.cached(text, now: now) == nil)
        await #expect(throws: TokenRejection.invalid(.audience)) {
            try await other.authenticate(authorizationHeader: "Bearer \(text)", now: now)
        }
    }

    @Test func `a key that leaves the key set takes its tokens along, and no others`() async throws {
        var next = TokenForge()
        next.keyID = "forge-2"
        let source = KeySource(try TokenForge.keySet([forge.jsonWebKey, next.jsonWebKey]))
        let keys = source.keys()
        let verifier = AccessTokenVerifier(policy: TokenForge.policy, keys: keys, cacheCapacity: 16)
        let old = try forge.token()
        let new = try next.token(header: TokenForge.header.merging(["kid": "forge-2"]) { $1 })
        _ = try await verifier.verify(old, now: now)
        _ = try await verifier.verify(new, now: now)

        source.serve(try next.keySet)
        try await keys.refresh(now: now)
        #expect(verifier.cached(old, now: now) == nil)
        #expect(verifier.cached(new, now: now) != nil)
        await #expect(throws: TokenRejection.invalid(.unknownKey)) { try await verifier.verify(old, now: now) }
    }

    @Test func `other key material under the same kid ends the tokens of the old key`() async throws {
        let source = KeySource(try forge.keySet)
        let keys = source.keys()
        let verifier = AccessTokenVerifier(policy: TokenForge.policy, keys: keys, cacheCapacity: 16)
        let text = try forge.token()
        _ = try await verifier.verify(text, now: now)
        source.serve(try TokenForge().keySet)
        try await keys.refresh(now: now)
        #expect(verifier.cached(text, now: now) == nil)
        await #expect(throws: TokenRejection.invalid(.signature)) { try await verifier.verify(text, now: now) }
    }
}
