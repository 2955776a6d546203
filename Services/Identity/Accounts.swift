import Contracts
package import HTTPService
import Postgres

/// What people do about their accounts as such: register, recover, read, change and delete; and what other services ask of them.
package struct Accounts: Sendable {
    package let endpoints: [Endpoint]

    init(
        pool: PostgresPool, hasher: PasswordHasher, blocklist: PasswordBlocklist, box: SecretBox, attempts: AttemptCounter,
        verifySecondFactor: VerifySecondFactor, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp
    ) {
        let verifyCode = VerifyMailedCode(pool: pool, box: box, attempts: attempts, now: now)
        let registration = RegistrationRoutes(
            register: RegisterUser(pool: pool, hasher: hasher, blocklist: blocklist, box: box, messages: messages, now: now),
            verifyEmail: VerifyEmail(verify: verifyCode, now: now),
            beginRecovery: BeginRecovery(pool: pool, box: box, messages: messages, now: now),
            completeRecovery: CompleteRecovery(
                pool: pool, verifyCode: verifyCode, verifySecondFactor: verifySecondFactor, hasher: hasher, blocklist: blocklist,
                messages: messages, now: now))
        let profile = ProfileRoutes(
            read: ReadProfile(pool: pool, now: now), change: ChangeProfile(pool: pool, now: now),
            delete: DeleteAccount(pool: pool, messages: messages, now: now))
        let inside = InternalRoutes(resolve: ResolveUser(pool: pool, attempts: attempts), list: ListRevocations(pool: pool, now: now))
        endpoints = registration.endpoints + profile.endpoints + inside.endpoints
    }
}
