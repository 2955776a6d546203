import Contracts
import HTTPService
import Postgres

/// Tells whose credentials a client shows. Its secret is random, so its hash is compared and nothing is stretched.
struct VerifyClient: Sendable {
    let pool: PostgresPool
    let now: @Sendable () -> Timestamp

    /// - Returns: nil for an unknown or disabled client, a wrong secret, and a confidential client without one.
    /// - Throws: `PostgresError`.
    func callAsFunction(_ credentials: ClientCredentials) async throws -> OAuthClient? {
        // A look-up by a key, before the request has a deadline.
        let limit = WaitLimit.within(RequestDeadline.ofReads)
        guard let secret = credentials.secret else {
            let client = try await pool.withSession(within: limit) { session in try ClientStore().find(session, credentials.id) }
            guard let client, client.disabledAt == nil, !client.isConfidential else { return nil }
            return client
        }
        let found = try await pool.withSession(within: limit) { session in try ClientStore().findWithSecrets(session, credentials.id) }
        guard let (client, secrets) = found, client.disabledAt == nil, client.isConfidential, let hash = OpaqueSecret(secret)?.hash else {
            return nil
        }
        let now = now()
        return secrets.contains { $0.isGood(at: now) && hash.isSameInConstantTime(as: $0.hash) } ? client : nil
    }
}
