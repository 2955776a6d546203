import Contracts
import FoundationEssentials
import Postgres

/// Gives new tokens for a refresh token, which its successor replaces.
struct RefreshTokens: Sendable {
    let pool: PostgresPool
    let gate: TokenGate
    let mint: TokenMint
    let metrics: ProviderMetrics?
    let now: @Sendable () -> Timestamp
    private let families = RefreshFamilyStore()
    private let sessions = SessionStore()

    init(pool: PostgresPool, gate: TokenGate, mint: TokenMint, metrics: ProviderMetrics?, now: @escaping @Sendable () -> Timestamp) {
        self.pool = pool
        self.gate = gate
        self.mint = mint
        self.metrics = metrics
        self.now = now
    }

    private enum Outcome: Sendable {
        case issued(Grant, roles: Set<String>, scopes: [String], RefreshToken, isRepeat: Bool)
        case refused(TokenRefusal)
    }

    /// - Parameters:
    ///   - scope: What the new access token is for; nil for all that was granted.
    ///   - traceparent: Of the request, for the event of a theft.
    /// - Throws: ``TokenRefusal``, ``NoSigningKey``, `PostgresError`.
    func callAsFunction(
        _ text: String, scope: String?, client: OAuthClient, traceparent: String? = nil, until deadline: ContinuousClock.Instant? = nil
    ) async throws -> TokenBody {
        guard let token = RefreshToken(text) else { throw TokenRefusal.refreshUnknown }
        let outcome = try await pool.withTransaction(
            within: WaitLimit(until: deadline), opening: families.lock(token.family, client: client.id)
        ) { session, locked in
            try refresh(session, locked, token, scope, client, traceparent)
        }
        switch outcome {
        case .issued(let grant, let roles, let scopes, let successor, let isRepeat):
            if isRepeat { metrics?.refreshRepeated() }
            return try mint.tokens(for: grant, scopes: scopes, roles: roles, client: client, refreshToken: successor, isFirst: false)
        case .refused(let refusal): throw refusal
        }
    }

    /// - Returns: what became of it, and the statements that make it so.
    private func refresh(
        _ session: PostgresSession, _ locked: [PostgresResult], _ token: RefreshToken, _ scope: String?, _ client: OAuthClient,
        _ traceparent: String?
    ) throws -> (Outcome, closing: [PostgresQuery]) {
        guard let (family, roles) = try families.read(locked, gate: gate) else { return (.refused(.refreshUnknown), []) }
        let now = now()
        switch family.decide(client: client.id, number: token.number, secretHash: token.secret.hash, at: now) {
        case .refuse(let refusal): return (.refused(refusal), [])
        case .theft:
            // In this transaction, so it must not be rolled back by an error. The session ends too: only its end is known to who holds an
            // access token that the thief may have.
            try families.revoke(session, family.id, .theft, at: now)
            try sessions.end(
                family.grant.session, of: family.grant.authentication.user, reason: .theft, at: now, traceparent: traceparent, session)
            return (.refused(.refreshStolen), [])
        case .again(let sealed):
            guard let successor = token.open(sealed) else { return (.refused(.refreshUnknown), []) }
            let admitted = try roles()
            let scopes = try Self.scopes(of: family.grant, asked: scope, roles: admitted)
            return (.issued(family.grant, roles: admitted, scopes: scopes, successor, isRepeat: true), [])
        case .rotate:
            let admitted = try roles()
            let scopes = try Self.scopes(of: family.grant, asked: scope, roles: admitted)
            let successor = token.successor()
            let rotation = try families.rotation(from: token, to: successor, at: now)
            let closing = [rotation] + SessionStore.use(of: family.grant.session, place: nil, at: now)
            return (.issued(family.grant, roles: admitted, scopes: scopes, successor, isRepeat: false), closing)
        }
    }

    /// What is asked for, never more than was granted, nor than the person still has the roles for. Less of it narrows this access token and
    /// not the grant.
    private static func scopes(of grant: Grant, asked: String?, roles: Set<String>) throws(TokenRefusal) -> [String] {
        do throws(ScopeRules.Fault) {
            let scopes = try asked.map { text throws(ScopeRules.Fault) in try ScopeRules.list(text) } ?? grant.scopes
            guard scopes.allSatisfy(grant.scopes.contains) else { throw .none }
            return try ScopeRules.granted(scopes, to: roles)
        } catch {
            throw error == .malformed ? .scopeMalformed : .scopeNotGranted
        }
    }
}
