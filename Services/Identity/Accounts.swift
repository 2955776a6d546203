import Contracts
package import HTTPService
import Postgres

/// What people do about their accounts as such: register, recover, read, change and delete; and what other services ask of them.
package struct Accounts: Sendable {
    package let endpoints: [Endpoint]

    init(
        issuer: String, pages: PageRenderer, pool: PostgresPool, hasher: PasswordHasher, blocklist: PasswordBlocklist, box: SecretBox,
        attempts: AttemptCounter, verifySecondFactor: VerifySecondFactor, messages: RequestMessage, now: @escaping @Sendable () -> Timestamp
    ) {
        let verifyCode = VerifyMailedCode(pool: pool, box: box, attempts: attempts, now: now)
        let flows = MailedFlows(pool: pool, box: box, messages: messages, now: now)
        let register = RegisterUser(flows: flows, hasher: hasher, blocklist: blocklist)
        let verifyEmail = VerifyEmail(verify: verifyCode, now: now)
        let recover = RecoverAccount(
            pool: pool, verifyCode: verifyCode, verifySecondFactor: verifySecondFactor, hasher: hasher, blocklist: blocklist,
            messages: messages, now: now)
        let registration = RegistrationRoutes(register: register, verifyEmail: verifyEmail, flows: flows, completeRecovery: recover)
        let registrationPages = RegistrationPages(
            issuer: issuer, pages: pages, register: register, verifyEmail: verifyEmail, flows: flows)
        let recoveryPages = RecoveryPages(issuer: issuer, pages: pages, recover: recover, flows: flows)
        let profile = ProfileRoutes(
            read: ReadProfile(pool: pool, now: now), change: ChangeProfile(pool: pool, now: now),
            delete: DeleteAccount(pool: pool, messages: messages, now: now))
        let inside = InternalRoutes(resolve: ResolveUser(pool: pool, attempts: attempts), list: ListRevocations(pool: pool, now: now))
        endpoints =
            registration.endpoints + registrationPages.endpoints + recoveryPages.endpoints + profile.endpoints + inside.endpoints
    }
}
