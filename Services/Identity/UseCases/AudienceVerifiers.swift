import AccessTokens
import Synchronization

/// Verifiers of the tokens that this process issues, one for each audience that is asked for; each remembers what it has verified.
final class AudienceVerifiers: Sendable {
    private let issuer: String
    private let keys: JSONWebKeySet
    private let verifiers = Mutex<[String: AccessTokenVerifier]>([:])

    init(issuer: String, keys: JSONWebKeySet) {
        self.issuer = issuer
        self.keys = keys
    }

    /// - Parameter audience: The issuer's own, or one that a client is registered with; never a caller's word.
    subscript(_ audience: String) -> AccessTokenVerifier {
        verifiers.withLock { verifiers in
            if let known = verifiers[audience] { return known }
            let made = AccessTokenVerifier(policy: AccessTokenPolicy(issuer: issuer, audience: audience), keys: keys)
            verifiers[audience] = made
            return made
        }
    }

    /// The token if it is good at `now` (Unix seconds), from memory if possible.
    ///
    /// - Throws: ``TokenRejection``.
    func verify(_ token: String, audience: String, now: Int64) async throws(TokenRejection) -> AccessToken {
        let verifier = self[audience]
        if let known = verifier.cached(token, now: now) { return known }
        return try await verifier.verify(token, now: now)
    }
}
