/// Decides whether a bearer token is an access token of this service (RFC 9068, ES256 only), and remembers those that are.
package final class AccessTokenVerifier: Sendable {
    /// What is demanded of every token.
    package let policy: AccessTokenPolicy
    private let keys: JSONWebKeySet
    private let cache: VerifiedTokenCache

    /// How many verified tokens are remembered unless said otherwise.
    package static let defaultCacheCapacity = 8192
    private static let scheme = "bearer "

    /// A verifier with a cache of its own; the cache's bound is at most `cacheCapacity` tokens.
    package init(policy: AccessTokenPolicy, keys: JSONWebKeySet, cacheCapacity: Int = AccessTokenVerifier.defaultCacheCapacity) {
        self.policy = policy
        self.keys = keys
        self.cache = VerifiedTokenCache(capacity: cacheCapacity)
    }

    /// How many verified tokens are remembered right now, never more than the capacity.
    package var cachedTokenCount: Int {
        cache.count
    }

    /// The token if it was verified before, has not expired at `now` (Unix seconds), and its key is still in the key set.
    package func cached(_ token: String, now: Int64) -> AccessToken? {
        cache.token(for: token, now: now)
    }

    /// The same for a part of a longer string, without a copy of it.
    package func cached(_ token: Substring, now: Int64) -> AccessToken? {
        cache.token(for: token, now: now)
    }

    /// The same for the value of an `Authorization` field; nil also when that holds no bearer token.
    package func cached(authorizationHeader: String, now: Int64) -> AccessToken? {
        guard let token = Self.bearerToken(authorizationHeader) else { return nil }
        return cache.token(for: token, now: now)
    }

    /// Checks a token in full at `now` (Unix seconds), whether it is remembered or not, and remembers it if it is good.
    package func verify(_ token: String, now: Int64) async throws(TokenRejection) -> AccessToken {
        let compact = try CompactToken(token)
        let key = try await keys.key(for: compact.keyID, now: now)
        guard key.signed(compact.signingInput, signature: compact.signature) else { throw .invalid(.signature) }
        guard let claims = TokenJSON.decode(AccessTokenClaims.self, from: compact.claims) else { throw .invalid(.claims) }
        let accepted = try claims.accepted(by: policy, now: now)
        cache.insert(accepted, text: token, key: key)
        return accepted
    }

    /// Takes the token out of an `Authorization` field (RFC 6750, section 2.1) and judges it at `now` (Unix seconds), from memory if possible.
    package func authenticate(authorizationHeader: String?, now: Int64) async throws(TokenRejection) -> AccessToken {
        guard let authorizationHeader, let token = Self.bearerToken(authorizationHeader) else { throw .missing }
        if let known = cache.token(for: token, now: now) { return known }
        return try await verify(String(token), now: now)
    }

    /// What follows the scheme, whose case doesn't matter; nil for another scheme.
    private static func bearerToken(_ field: String) -> Substring? {
        let bytes = field.utf8
        guard bytes.count >= scheme.utf8.count, zip(bytes, scheme.utf8).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        return field[bytes.index(bytes.startIndex, offsetBy: scheme.utf8.count)...].drop { $0 == " " }
    }
}
