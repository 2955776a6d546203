import Contracts
import FoundationEssentials
import Postgres

/// Revokes a refresh token, and with it its family, for the client that it was issued to (RFC 7009).
struct RevokeToken: Sendable {
    let pool: PostgresPool
    let now: @Sendable () -> Timestamp

    /// What is no refresh token of the client's is void already, as far as that client is concerned.
    ///
    /// - Throws: `PostgresError`.
    func callAsFunction(_ text: String, by client: OAuthClient, until deadline: ContinuousClock.Instant? = nil) async throws {
        guard let token = RefreshToken(text) else { return }
        let (now, families) = (now(), RefreshFamilyStore())
        try await pool.withTransaction(within: WaitLimit(until: deadline)) { session in
            guard let family = try families.find(session, token.family) else { return }
            switch family.decide(client: client.id, number: token.number, secretHash: token.secret.hash, at: now) {
            case .rotate, .again, .theft: try families.revoke(session, family.id, .revoked, at: now)
            case .refuse: return
            }
        }
    }
}
