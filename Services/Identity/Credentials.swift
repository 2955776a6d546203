import Contracts
package import HTTPService
import Postgres

/// What people do about what they sign in with: their password and their second factor.
package struct Credentials: Sendable {
    package let endpoints: [Endpoint]

    init(
        pool: PostgresPool, verifyPassword: VerifyPassword, hasher: PasswordHasher, blocklist: PasswordBlocklist, box: SecretBox,
        attempts: AttemptCounter, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp
    ) {
        let change = CredentialChange(pool: pool, messages: messages, now: now)
        let routes = CredentialRoutes(
            changePassword: ChangePassword(
                pool: pool, verify: verifyPassword, hasher: hasher, blocklist: blocklist, change: change, now: now),
            enrol: EnrolTOTP(pool: pool, secrets: box, now: now),
            confirm: ConfirmTOTP(pool: pool, secrets: box, attempts: attempts, change: change, now: now), remove: RemoveTOTP(change: change),
            replaceRecoveryCodes: ReplaceRecoveryCodes(change: change))
        endpoints = routes.endpoints
    }
}
