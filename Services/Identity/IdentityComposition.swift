import APIService
import Contracts
import Fleet
import HTTPService
import Observability
import ServiceDatabase
package import ServiceRuntime

/// Builds every object of identity once, in order of dependency.
package enum Identity: DatabaseService {
    package static let name = FleetService.identity.name

    package static func compose(_ settings: IdentityConfiguration, _ context: ProcessContext) async throws -> ComposedProcess {
        let service = try APIService(settings.service, connections: settings.poolSize, context)
        let (pool, issuer, now) = (service.database.pool, settings.service.api.issuer, Timestamp.now)
        let (box, pages, messages) = (try settings.secretBox(), try settings.pages(), RequestMessage(sealingTo: try settings.sealingKey()))
        let (hasher, blocklist) = (settings.credentials.hasher(), try settings.credentials.blocklist())
        hasher.observe(in: context.metrics)
        let attempts = AttemptCounter(pool: pool, metrics: context.metrics, now: now)
        let verifyPassword = VerifyPassword(pool: pool, hasher: hasher, attempts: attempts)
        let verifySecondFactor = VerifySecondFactor(pool: pool, secrets: box, attempts: attempts, messages: messages, now: now)

        let provider = Provider(
            issuer: issuer, pool: pool, box: box, clock: service.database.clock, metrics: context.metrics, logger: context.logger, now: now)
        let signIn = SignIn(
            issuer: issuer, pool: pool, pages: pages, provider: provider, verifyPassword: verifyPassword, verifySecondFactor: verifySecondFactor,
            messages: messages, now: now)
        let accounts = Accounts(
            issuer: issuer, pages: pages, pool: pool, hasher: hasher, blocklist: blocklist, box: box, attempts: attempts,
            verifySecondFactor: verifySecondFactor, messages: messages, now: now)
        let credentials = Credentials(
            pool: pool, verifyPassword: verifyPassword, hasher: hasher, blocklist: blocklist, box: box, attempts: attempts, messages: messages,
            now: now)
        return try await service.process(
            endpoints: provider.endpoints + signIn.endpoints + accounts.endpoints + credentials.endpoints, keys: provider.keySet,
            mapError: identityProblem, prerequisites: [provider.prerequisite],
            serving: [provider.keys] + Housekeeping(service.database, context, now: now).services)
    }
}
