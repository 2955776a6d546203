import AccessTokens
import Contracts
import Crypto
import FoundationEssentials
import Postgres

/// Gives tokens for an authorization code, once.
///
/// A code that comes again revokes the refresh tokens that it was used for: one of the two who showed it had stolen it.
struct RedeemCode: Sendable {
    let pool: PostgresPool
    let gate: TokenGate
    let mint: TokenMint
    let now: @Sendable () -> Timestamp
    private let codes = CodeStore()
    private let families = RefreshFamilyStore()

    init(pool: PostgresPool, gate: TokenGate, mint: TokenMint, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.gate = gate
        self.mint = mint
        self.now = now
    }

    private enum Outcome: Sendable {
        case redeemed(Grant, roles: Set<String>, RefreshToken?)
        case refused(TokenRefusal)
    }

    /// - Throws: ``TokenRefusal``, ``NoSigningKey``, `PostgresError`.
    func callAsFunction(
        code: String, redirectURI: String?, verifier: String?, client: OAuthClient, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> TokenBody {
        guard let hash = OpaqueSecret(code)?.hash else { throw TokenRefusal.codeUnknown }
        let challenge = verifier.flatMap { ProofKey.isVerifier($0) ? Base64URL.encode(Array(SHA256.hash(data: Array($0.utf8)))) : nil }
        let presented = AuthorizationCode.Presentation(clientID: client.id, redirectURI: redirectURI, challenge: challenge)
        let outcome = try await pool.withTransaction(within: WaitLimit(until: deadline)) { session in
            try redeem(session, hash, presented, client)
        }
        switch outcome {
        case .redeemed(let grant, let roles, let token):
            return try mint.tokens(for: grant, scopes: grant.scopes, roles: roles, client: client, refreshToken: token, isFirst: true)
        case .refused(let refusal): throw refusal
        }
    }

    private func redeem(
        _ session: PostgresSession, _ hash: [UInt8], _ presented: AuthorizationCode.Presentation, _ client: OAuthClient
    ) throws -> Outcome {
        guard let (code, roles) = try codes.lock(session, hash, client: client.id, gate: gate) else { return .refused(.codeUnknown) }
        let now = now()
        do throws(TokenRefusal) {
            try code.check(presented, at: now)
        } catch {
            // What it was used for is revoked in this transaction, so it must not be rolled back by an error.
            if error == .codeReused, let family = code.family { try families.revoke(session, family, .codeReuse, at: now) }
            return .refused(error)
        }
        let admitted = try roles()
        let token = client.isRefreshable(code.grant.scopes) ? try begin(session, code.grant, at: now) : nil
        try codes.use(session, hash, for: token?.family, at: now)
        return .redeemed(code.grant, roles: admitted, token)
    }

    /// Begins a refresh family.
    private func begin(_ session: PostgresSession, _ grant: Grant, at now: Timestamp) throws -> RefreshToken {
        var random = SystemRandomNumberGenerator()
        let token = RefreshToken(family: .v7(milliseconds: now.millisecondsSinceUnixEpoch, using: &random), number: 1)
        let family = RefreshFamily(
            id: token.family, grant: grant, number: token.number, secretHash: token.secret.hash, lastUsedAt: now,
            expiresAt: now + RefreshFamily.lifetime)
        try families.insert(session, family, at: now)
        return token
    }
}

extension OAuthClient {
    /// An app of ours stays signed in; another asks the person.
    fileprivate func isRefreshable(_ scopes: [String]) -> Bool {
        grants.contains(.refreshToken) && (isFirstParty || scopes.contains(ScopeRules.offlineAccess))
    }
}
